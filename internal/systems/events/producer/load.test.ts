import t, { type Test } from 'tap'
import { createRandom } from '../../../engine/cli/random.js'
import type { OutgoingMessage, SendOutcome } from '../../../engine/queue/queue.js'
import { createManualClock } from '../../../lab/testing/manual-clock.js'
import { createMemoryQueue } from '../../../lab/testing/memory-queue.js'
import { writerOf } from '../../../lab/testing/writer-of.js'
import { DEFAULT_CLIENTS } from './events.js'
import type { LedgerEntry, LedgerWriter } from './ledger.js'
import { type RunLoadOptions, runLoad } from './load.js'
import type { SendProblem } from './send.js'

interface CountingLedger extends LedgerWriter {
  readonly entries: LedgerEntry[]
}

function countingLedger(): CountingLedger {
  const entries: LedgerEntry[] = []
  return { entries, append: async more => void entries.push(...more), close: async () => undefined }
}

/** A queue that answers its calls with `answer`, and remembers what it accepted. */
function scriptedQueue(
  answer: (messages: readonly OutgoingMessage[], call: number) => readonly SendOutcome[]
) {
  const accepted: { id: string; body: string }[] = []
  const calls: number[] = []
  const queue = writerOf(async messages => {
    calls.push(messages.length)
    const outcomes = answer(messages, calls.length)
    for (const [index, outcome] of outcomes.entries()) {
      if ('id' in outcome) accepted.push({ id: outcome.id, body: messages[index]!.body })
    }
    return outcomes
  })
  return { queue, accepted, calls }
}

let ids = 0
const take = (): SendOutcome => ({ id: `id-${++ids}` })
const isDown = (): SendOutcome => ({ code: 'ECONNREFUSED', retryable: true })

function setup(over: Partial<RunLoadOptions>) {
  const clock = createManualClock()
  const ledger = countingLedger()
  const problems: SendProblem[] = []
  const stop = new AbortController()
  const options: RunLoadOptions = {
    queue: createMemoryQueue({ clock, visibilityTimeoutS: 30 }),
    clock,
    signal: stop.signal,
    jitter: () => 0,
    onProblem: problem => problems.push(problem),
    count: 100,
    duplicates: 0,
    invalid: 0,
    clients: DEFAULT_CLIENTS,
    bodyBytes: 350,
    random: createRandom('load'),
    ratePerSecond: null,
    concurrency: 4,
    ledger,
    onProgress: () => undefined,
    ...over
  }
  return { clock, ledger, problems, stop, options }
}

/** Moves the clock until the run ends, and returns its totals. */
async function finish(
  t: Test,
  clock: ReturnType<typeof createManualClock>,
  options: RunLoadOptions
) {
  const done = { is: false }
  const run = runLoad(options).finally(() => (done.is = true))
  for (let step = 0; step < 10_000 && !done.is; step++) await clock.advanceAsync(10)
  t.ok(done.is, 'the run ends')
  return run
}

t.test('each requested event is sent, counted and in the ledger once', async t => {
  const { clock, ledger, options } = setup({ count: 1_003, duplicates: 0.1, invalid: 0.05 })
  const queue = createMemoryQueue({ clock, visibilityTimeoutS: 30 })
  const totals = await finish(t, clock, { ...options, queue })
  t.match(totals, { sent: 1_003, duplicates: 100, invalid: 50, refused: 0 })
  t.same(
    ledger.entries.map(entry => entry.queueMessageId).sort(),
    queue
      .messages()
      .map(message => message.id)
      .sort()
  )
  t.equal(ledger.entries.filter(entry => !entry.valid).length, 50)
  t.equal(ledger.entries.filter(entry => entry.payloadSha256 === null).length, 50)
})

t.test('a message is tried until the queue takes it, and is counted once', async t => {
  const script = scriptedQueue((messages, call) => {
    if (call % 3 === 0) return messages.map(isDown)
    return messages.map((_, index) =>
      (index + call) % 2 === 0 ? take() : { code: 'InternalError', retryable: true }
    )
  })
  const { clock, ledger, problems, options } = setup({ queue: script.queue, count: 95 })
  const totals = await finish(t, clock, options)
  t.equal(totals.sent, 95)
  t.equal(script.accepted.length, 95)
  t.equal(
    new Set(script.accepted.map(message => message.body)).size,
    95,
    'no body was accepted twice'
  )
  t.same(
    ledger.entries.map(entry => entry.queueMessageId).sort(),
    script.accepted.map(message => message.id).sort()
  )
  t.same([...new Set(problems.map(problem => problem.code))].sort(), [
    'ECONNREFUSED',
    'InternalError'
  ])
})

t.test(
  'accepted messages are in the ledger before the rest of their call is tried again',
  async t => {
    let inLedger = -1
    const setUp = setup({ count: 10, concurrency: 1 })
    const script = scriptedQueue((messages, call) => {
      if (call === 2) inLedger = setUp.ledger.entries.length
      return messages.map((_, index) =>
        call === 1 && index >= 4 ? { code: 'InternalError', retryable: true } : take()
      )
    })
    await finish(t, setUp.clock, { ...setUp.options, queue: script.queue })
    t.equal(inLedger, 4)
    t.same(script.calls, [10, 6])
  }
)

t.test('a message that the queue refuses for good is reported and not counted as sent', async t => {
  const script = scriptedQueue(messages =>
    messages.map((_, index) =>
      index === 0 ? { code: 'InvalidMessageContents', retryable: false } : take()
    )
  )
  const { clock, ledger, problems, options } = setup({
    queue: script.queue,
    count: 20,
    concurrency: 1
  })
  const totals = await finish(t, clock, options)
  t.match(totals, { sent: 18, refused: 2 })
  t.equal(ledger.entries.length, 18)
  t.same(problems[0], { code: 'InvalidMessageContents', entries: 1, retryInMs: null })
})

t.test('a send has as many messages as the queue takes in a call', async t => {
  const script = scriptedQueue(messages => messages.map(take))
  const { clock, options } = setup({
    queue: { ...script.queue, limits: { ...script.queue.limits, entries: 7 } },
    count: 25,
    concurrency: 1
  })
  await finish(t, clock, options)
  t.same(script.calls, [7, 7, 7, 4])
})

t.test('no more than `concurrency` calls are under way at once', async t => {
  let underWay = 0
  let most = 0
  const release: (() => void)[] = []
  const queue = writerOf(async messages => {
    underWay += 1
    most = Math.max(most, underWay)
    await new Promise<void>(resolve => release.push(resolve))
    underWay -= 1
    return messages.map(take)
  })
  const { clock, options } = setup({ queue, count: 200, concurrency: 3 })
  const done = { is: false }
  const run = runLoad(options).finally(() => (done.is = true))
  while (!done.is) {
    await clock.advanceAsync(0)
    release.shift()?.()
  }
  t.equal((await run).sent, 200)
  t.equal(most, 3)
})

t.test('a rate has no drift: after a slow call all events due by then are sent', async t => {
  const sentAtMs: number[] = []
  const calls: number[] = []
  let isSlow = true
  const clock = createManualClock()
  const queue = writerOf(async messages => {
    if (isSlow) {
      isSlow = false
      await new Promise<void>(resolve => clock.after(500, resolve))
    }
    calls.push(messages.length)
    sentAtMs.push(...messages.map(() => clock.monotonicMs()))
    return messages.map(take)
  })
  const { options } = setup({ queue, clock, count: 101, ratePerSecond: 100, concurrency: 1 })
  const totals = await finish(t, clock, options)
  t.equal(totals.sent, 101)
  t.equal(sentAtMs.filter(ms => ms < 500).length, 0)
  t.equal(
    sentAtMs.filter(ms => ms <= 500).length,
    51,
    'the first and the fifty that became due meanwhile'
  )
  t.same(calls.slice(0, 6), [1, 10, 10, 10, 10, 10], 'in full calls')
  t.equal(sentAtMs.at(-1), 1_000, 'the last one on its own time')
})

t.test(
  'an abort ends the run after the current calls, and only accepted messages count',
  async t => {
    const { clock, ledger, stop, options } = setup({ count: null, concurrency: 2 })
    const script = scriptedQueue((messages, call) => {
      if (call === 5) stop.abort()
      return messages.map(take)
    })
    const totals = await finish(t, clock, { ...options, queue: script.queue })
    t.equal(totals.sent, script.accepted.length)
    t.equal(ledger.entries.length, script.accepted.length)
    t.ok(script.calls.length <= 6)
  }
)

t.test('an abort ends the retries of a queue that is down', async t => {
  const { clock, problems, stop, options } = setup({ count: 10 })
  const script = scriptedQueue(messages => messages.map(isDown))
  const run = runLoad({ ...options, queue: script.queue })
  await clock.advanceAsync(1_000)
  t.ok(problems.length > 1, 'it keeps trying')
  stop.abort()
  t.match(await run, { sent: 0, refused: 0 })
  t.equal(clock.pending(), 0)
})

t.test('a ledger that cannot be written ends the run, even if other calls succeed', async t => {
  let appends = 0
  const append = (): Promise<void> =>
    ++appends === 3 ? Promise.reject(new Error('no space left')) : Promise.resolve()
  const ledger: LedgerWriter = { append, close: async () => undefined }
  const { options } = setup({ ledger, count: null })
  await t.rejects(runLoad(options), { message: 'no space left' })
})
