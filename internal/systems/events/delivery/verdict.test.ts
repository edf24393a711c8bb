import t from 'tap'
import { ERROR_CLASSES } from '../../../engine/egress/failure.js'
import { judge } from './verdict.js'

const answered = (status: number, retryAfterMs?: number) =>
  judge({
    kind: 'answered',
    status,
    responseHead: '',
    ms: 1,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs })
  })

t.test('2xx and nothing else is delivered, 410 is gone, the rest is tried again', async t => {
  for (const status of [200, 201, 202, 204, 299])
    t.same(answered(status), { kind: 'delivered' }, String(status))
  t.same(answered(410), { kind: 'gone' })
  for (const status of [
    300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 408, 409, 411, 413, 429, 500, 502, 503, 504,
    599, 600, 999
  ])
    t.same(answered(status), { kind: 'retry', notBeforeMs: 0 }, String(status))
})

t.test('429 and 503 may say when; others may not', async t => {
  for (const status of [429, 503])
    t.same(answered(status, 5_000), { kind: 'retry', notBeforeMs: 5_000 }, String(status))
  for (const status of [301, 404, 500, 502, 504])
    t.same(answered(status, 5_000), { kind: 'retry', notBeforeMs: 0 }, String(status))
  t.same(answered(410, 5_000), { kind: 'gone' })
  t.same(answered(200, 5_000), { kind: 'delivered' })
})

t.test('no answer is tried again, whatever the reason', async t => {
  for (const errorClass of ERROR_CLASSES)
    t.same(
      judge({ kind: 'failed', errorClass, detail: '', ms: 1 }),
      { kind: 'retry', notBeforeMs: 0 },
      errorClass
    )
})
