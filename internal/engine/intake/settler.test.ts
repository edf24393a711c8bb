import t from 'tap'
import { createManualClock } from '../../lab/testing/manual-clock.js'
import type { ReceivedMessage } from '../message/message.js'
import type { Receipt, SettleFailure } from '../queue/queue.js'
import { InFlight } from './in-flight.js'
import { Settler } from './settler.js'

function setup(ack: (receipts: readonly Receipt[]) => Promise<readonly SettleFailure[]>) {
  const clock = createManualClock()
  const inFlight = new InFlight()
  const calls: string[][] = []
  const failed: string[] = []
  const settler = new Settler({
    queue: {
      limits: { receive: 10, settle: 3 },
      ack(receipts) {
        calls.push(receipts.map(({ id }) => id))
        return ack(receipts)
      }
    },
    inFlight,
    clock,
    random: () => 0,
    concurrency: 2,
    lingerMs: 10,
    onSettled: () => undefined,
    onFailed: (code, entries, isFinal) =>
      failed.push(`${code} ${entries}${isFinal ? ' final' : ''}`)
  })
  const add = (...ids: string[]) => {
    const messages = ids.map(
      (id): ReceivedMessage => ({
        id,
        token: `handle of ${id}`,
        body: '',
        bytes: 0,
        receiveCount: 1,
        sentAtMs: 0
      })
    )
    for (const message of messages) inFlight.add(message, 0)
    settler.add(messages.map(message => ({ message })))
  }
  return { clock, inFlight, settler, calls, failed, add }
}

t.test('a full call leaves at once, a partial one waits for more', async t => {
  const { clock, inFlight, calls, add } = setup(async () => [])
  add('a', 'b', 'c', 'd')
  await clock.advanceAsync(9)
  t.same(calls, [['a', 'b', 'c']], 'as many as the queue takes')
  add('e')
  await clock.advanceAsync(1)
  t.same(calls.slice(1), [['d', 'e']])
  t.equal(inFlight.size, 0)
})

t.test('no more calls are under way than `concurrency` allows', async t => {
  const answers: (() => void)[] = []
  const { clock, calls, add } = setup(() => new Promise(resolve => answers.push(() => resolve([]))))
  add('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i')
  await clock.advanceAsync(100)
  t.equal(calls.length, 2)
  answers[0]?.()
  await clock.advanceAsync(0)
  t.equal(calls.length, 3)
})

t.test('a failed call is reported once and repeated as one call', async t => {
  let attempts = 0
  const { clock, calls, failed, add } = setup(async () => {
    if (++attempts === 1) throw new TypeError('a bug')
    return []
  })
  add('a', 'b', 'c')
  await clock.advanceAsync(49)
  t.same(calls.length, 1)
  await clock.advanceAsync(1)
  t.same(calls, [
    ['a', 'b', 'c'],
    ['a', 'b', 'c']
  ])
  t.same(failed, ['TypeError: a bug 3'])
})

t.test('a failed entry is retried alone, an outdated receipt is not', async t => {
  let attempts = 0
  const { clock, inFlight, calls, failed, add } = setup(async () =>
    ++attempts > 1
      ? []
      : [
          { id: 'a', code: 'Busy', retryable: true },
          { id: 'b', code: 'Stale', retryable: false }
        ]
  )
  add('a', 'b', 'c')
  await clock.advanceAsync(100)
  t.same(calls, [['a', 'b', 'c'], ['a']])
  t.same(failed, ['Busy 1', 'Stale 1 final'])
  t.equal(inFlight.size, 0)
})
