import t, { type Test } from 'tap'
import {
  ALL_LETTERS,
  createLetterRecords,
  type LetterFilter,
  resendLetters
} from '../../lab/testing/letters.js'
import { advanceUntil, createManualClock } from '../../lab/testing/manual-clock.js'
import { createMemoryQueue } from '../../lab/testing/memory-queue.js'
import { QueueError } from '../queue/queue.js'
import { type RedriveOptions, redriveRejections } from './redrive.js'

async function setup(
  t: Test,
  count: number,
  over: Partial<RedriveOptions<LetterFilter>> & { readonly bodyOf?: (n: number) => string } = {}
) {
  const clock = createManualClock()
  const queue = createMemoryQueue({ clock, visibilityTimeoutS: 30 })
  t.teardown(() => queue.close())
  const records = createLetterRecords()
  const { bodyOf = n => `body ${n}`, ...options } = over
  for (let n = 0; n < count; n++) records.refuse(bodyOf(n))
  const signal = new AbortController().signal
  const begin = () =>
    redriveRejections({
      records,
      send: claimed => resendLetters(claimed, queue),
      filter: ALL_LETTERS,
      limit: null,
      ratePerSecond: null,
      batchSize: queue.limits.entries,
      clock,
      random: () => 0,
      signal,
      onSent: () => undefined,
      objectionTo: () => null,
      onHeldBack: () => undefined,
      ...options
    })
  const { claims, redriven } = records
  return { clock, queue, begin, claims, redriven }
}

t.test('all is sent and marked, ten at a time, except what came after the start', async t => {
  const { queue, redriven, claims, begin } = await setup(t, 25)
  t.same(await begin(), { sent: 25, refused: [], failedCode: null, isInterrupted: false })
  t.equal(redriven().length, 25)
  t.same(
    queue.messages().map(({ body }) => body),
    Array.from({ length: 25 }, (_, n) => `body ${n}`)
  )
  t.ok(claims.every(({ startedAt, maxRows }) => startedAt === 'the start' && maxRows === 10))
})

t.test('a limit is exact', async t => {
  const { queue, redriven, begin } = await setup(t, 25, { limit: 13 })
  t.equal((await begin()).sent, 13)
  t.equal(redriven().length, 13)
  t.equal(queue.messages().length, 13)
})

t.test(
  'a message refused for good is named once, stays unmarked, and holds up nothing',
  async t => {
    const { redriven, begin } = await setup(t, 25, {
      bodyOf: n => (n === 3 || n === 24 ? 'raw \0' : 'fine')
    })
    const { sent, refused, failedCode } = await begin()
    t.same([sent, failedCode], [23, null])
    t.same(refused, [
      { queueMessageId: 'q-003', code: 'InvalidMessageContents' },
      { queueMessageId: 'q-024', code: 'InvalidMessageContents' }
    ])
    t.notOk(redriven().includes('q-003'))
  }
)

t.test('a queue that fails for a while is retried, and nothing is skipped', async t => {
  const { clock, queue, redriven, begin } = await setup(t, 25)
  for (let n = 0; n < 4; n++)
    queue.failNext('send', new QueueError('ThrottlingException', 'too fast'))
  const result = await advanceUntil(clock, begin())
  t.same(result, { sent: 25, refused: [], failedCode: null, isInterrupted: false })
  t.equal(redriven().length, 25)
  t.equal(queue.messages().length, 25)
})

t.test('a queue that keeps failing ends the redrive with its code; the next continues', async t => {
  const { clock, queue, redriven, begin } = await setup(t, 25)
  for (let n = 0; n < 5; n++) queue.failNext('send', new QueueError('ECONNREFUSED', 'down'))
  t.same(await advanceUntil(clock, begin()), {
    sent: 0,
    refused: [],
    failedCode: 'ECONNREFUSED',
    isInterrupted: false
  })
  t.equal(redriven().length, 0)
  t.equal((await begin()).sent, 25)
})

t.test('a stop ends it after the batch under way, or while it waits for its rate', async t => {
  const stop = new AbortController()
  const { redriven, begin } = await setup(t, 25, {
    signal: stop.signal,
    ratePerSecond: 1,
    onSent: sent => {
      if (sent === 1) stop.abort()
    }
  })
  t.same(await begin(), { sent: 1, refused: [], failedCode: null, isInterrupted: true })
  t.equal(redriven().length, 1)
})
