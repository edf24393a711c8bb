import t, { type Test } from 'tap'
import { QueueError } from '../../../engine/queue/queue.js'
import { advanceUntil, createManualClock } from '../../../lab/testing/manual-clock.js'
import { createMemoryQueue } from '../../../lab/testing/memory-queue.js'
import {
  ALL_REJECTIONS,
  type Claim,
  type ClaimedRejection,
  type Records
} from '../store/records.js'
import { type RedriveOptions, redriveRejections } from './redrive-rejections.js'

/** Rejections in a list, in order; a claim sees those that are not marked. */
function createRejections(count: number, bodyOf = (n: number): string => `body ${n}`) {
  const marked = new Set<string>()
  const claims: Claim[] = []
  const rows: readonly ClaimedRejection[] = Array.from({ length: count }, (_, n) => {
    const queueMessageId = `q-${String(n).padStart(3, '0')}`
    return { queueMessageId, origin: queueMessageId, body: bodyOf(n) }
  })
  const records: Pick<Records, 'now' | 'claimRejections'> = {
    now: () => Promise.resolve('the start'),
    async claimRejections(claim, send) {
      claims.push(claim)
      const after = claim.after?.[1] ?? ''
      const claimed = rows
        .filter(({ queueMessageId: id }) => !marked.has(id) && id > after)
        .slice(0, claim.maxRows)
      if (claimed.length === 0) return null
      for (const id of await send(claimed)) marked.add(id)
      return ['', claimed.at(-1)?.queueMessageId ?? '']
    }
  }
  return { records, marked, claims }
}

async function setup(
  t: Test,
  count: number,
  over: Partial<RedriveOptions> & { readonly bodyOf?: (n: number) => string } = {}
) {
  const clock = createManualClock()
  const queue = createMemoryQueue({ clock, visibilityTimeoutS: 30 })
  t.teardown(() => queue.close())
  const rejections = createRejections(count, over.bodyOf)
  const signal = new AbortController().signal
  const begin = () =>
    redriveRejections({
      records: rejections.records,
      writer: queue,
      filter: ALL_REJECTIONS,
      limit: null,
      ratePerSecond: null,
      clock,
      random: () => 0,
      signal,
      onSent: () => undefined,
      ...over
    })
  return { clock, queue, begin, ...rejections }
}

t.test(
  'all is sent and marked, ten at a time, and what came after the start is left out',
  async t => {
    const { queue, marked, claims, begin } = await setup(t, 25)
    t.same(await begin(), { sent: 25, refused: [], failedCode: null, isInterrupted: false })
    t.equal(marked.size, 25)
    t.same(
      queue.messages().map(({ body }) => body),
      Array.from({ length: 25 }, (_, n) => `body ${n}`)
    )
    t.ok(claims.every(({ startedAt, maxRows }) => startedAt === 'the start' && maxRows === 10))
  }
)

t.test('a limit is kept to the message', async t => {
  const { queue, marked, begin } = await setup(t, 25, { limit: 13 })
  t.equal((await begin()).sent, 13)
  t.equal(marked.size, 13)
  t.equal(queue.messages().length, 13)
})

t.test(
  'what the queue will never take is named once, stays unmarked, and holds up nothing',
  async t => {
    const { marked, begin } = await setup(t, 25, {
      bodyOf: n => (n === 3 || n === 24 ? 'raw \0' : 'fine')
    })
    const { sent, refused, failedCode } = await begin()
    t.same([sent, failedCode], [23, null])
    t.same(refused, [
      { queueMessageId: 'q-003', code: 'InvalidMessageContents' },
      { queueMessageId: 'q-024', code: 'InvalidMessageContents' }
    ])
    t.notOk(marked.has('q-003'))
  }
)

t.test('a queue that fails for a while is tried again, and nothing is skipped', async t => {
  const { clock, queue, marked, begin } = await setup(t, 25)
  for (let n = 0; n < 4; n++)
    queue.failNext('send', new QueueError('ThrottlingException', 'too fast'))
  const result = await advanceUntil(clock, begin())
  t.same(result, { sent: 25, refused: [], failedCode: null, isInterrupted: false })
  t.equal(marked.size, 25)
  t.equal(queue.messages().length, 25)
})

t.test(
  'a queue that goes on failing ends the redrive with its code; the next one goes on',
  async t => {
    const { clock, queue, marked, begin } = await setup(t, 25)
    for (let n = 0; n < 5; n++) queue.failNext('send', new QueueError('ECONNREFUSED', 'down'))
    t.same(await advanceUntil(clock, begin()), {
      sent: 0,
      refused: [],
      failedCode: 'ECONNREFUSED',
      isInterrupted: false
    })
    t.equal(marked.size, 0)
    t.equal((await begin()).sent, 25)
  }
)

t.test('a stop ends it after the batch under way, and while it waits for its rate', async t => {
  const stop = new AbortController()
  const { marked, begin } = await setup(t, 25, {
    signal: stop.signal,
    ratePerSecond: 1,
    onSent: sent => {
      if (sent === 1) stop.abort()
    }
  })
  t.same(await begin(), { sent: 1, refused: [], failedCode: null, isInterrupted: true })
  t.equal(marked.size, 1)
})
