import t from 'tap'
import { retryAfterMs } from './retry-after.js'

const NOW_MS = Date.parse('2026-01-01T00:00:00Z')
const DAY_MS = 86_400_000
const read = (value: string) => retryAfterMs(value, NOW_MS, DAY_MS)

t.test('whole seconds are a wait', async t => {
  t.equal(read('0'), 0)
  t.equal(read(' 120 '), 120_000)
})

t.test('an HTTP date counts from now, and a past one means no wait', async t => {
  t.equal(read('Thu, 01 Jan 2026 00:00:30 GMT'), 30_000)
  t.equal(read('Wed, 31 Dec 2025 23:00:00 GMT'), 0)
})

t.test('no wait is longer than the cap', async t => {
  t.equal(read('86400'), DAY_MS)
  t.equal(read('86401'), DAY_MS)
  t.equal(read('9'.repeat(400)), DAY_MS)
  t.equal(read('Fri, 31 Dec 2099 23:59:59 GMT'), DAY_MS)
})

t.test('anything else is ignored', async t => {
  for (const value of [
    '',
    '-1',
    '1.5',
    '1e3',
    'soon',
    '2026-01-01T00:00:30Z',
    'Thu, 99 Foo 2026 00:00:30 GMT',
    '0x10',
    '10, 20'
  ])
    t.equal(read(value), null, JSON.stringify(value))
})
