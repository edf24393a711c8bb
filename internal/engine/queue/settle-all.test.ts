import t from 'tap'
import { advanceUntil, createManualClock } from '../../lab/testing/manual-clock.js'
import { QueueError, type SettleFailure } from './queue.js'
import { type Settle, settleAll } from './settle-all.js'

const receipts = ['a', 'b', 'c'].map(id => ({ id, token: `handle of ${id}` }))
const busy = (id: string): SettleFailure => ({ id, code: 'Busy', retryable: true })
const stale = (id: string): SettleFailure => ({ id, code: 'Stale', retryable: false })

async function settle(answer: (ids: readonly string[], attempt: number) => SettleFailure[]) {
  const clock = createManualClock()
  const asked: string[] = []
  const settleOnce: Settle = async list => {
    const ids = list.map(({ id }) => id)
    asked.push(ids.join(''))
    return answer(ids, asked.length)
  }
  const { signal } = new AbortController()
  const left = await advanceUntil(clock, settleAll(receipts, settleOnce, { clock, signal }))
  return { asked, left }
}

t.test('only failures that may still succeed are tried again', async t => {
  const { asked, left } = await settle((_, attempt) =>
    attempt === 1 ? [stale('a'), busy('c')] : []
  )
  t.same(asked, ['abc', 'c'])
  t.same(left, [stale('a')])
})

t.test('after three attempts the rest is given up', async t => {
  const { asked, left } = await settle(ids => ids.map(busy))
  t.same(asked, ['abc', 'abc', 'abc'])
  t.same(left, ['a', 'b', 'c'].map(busy))
})

t.test('a call that fails as a whole counts for each of its messages', async t => {
  const { asked, left } = await settle((_, attempt) => {
    if (attempt === 1) throw new QueueError('ECONNREFUSED', 'down')
    return [busy('b')]
  })
  t.same(asked, ['abc', 'abc', 'b'])
  t.same(left, [busy('b')])
})

t.test('a queue that throws is a bug, not a failure', async t => {
  const broken: Settle = () => Promise.reject(new TypeError('a bug'))
  const { signal } = new AbortController()
  await t.rejects(settleAll(receipts, broken, { clock: createManualClock(), signal }), TypeError)
})

t.test('an empty list makes no call', async t => {
  const { signal } = new AbortController()
  const never: Settle = () => Promise.reject(new Error('asked'))
  t.same(await settleAll([], never, { clock: createManualClock(), signal }), [])
})
