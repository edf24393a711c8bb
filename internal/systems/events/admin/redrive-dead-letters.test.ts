import t, { type Test } from 'tap'
import { QueueError } from '../../../engine/queue/queue.js'
import { advanceUntil, createManualClock } from '../../../lab/testing/manual-clock.js'
import { createMemoryQueue } from '../../../lab/testing/memory-queue.js'
import type { DeadLetterFilter } from './dead-letter.js'
import { type RedriveDeadLettersOptions, redriveDeadLetters } from './redrive-dead-letters.js'

const ALL: DeadLetterFilter = {
  ids: null,
  clientId: null,
  eventType: null,
  since: null,
  olderThan: null
}

async function setup(
  t: Test,
  bodies: readonly string[],
  over: Partial<RedriveDeadLettersOptions> = {}
) {
  const clock = createManualClock()
  const deadLetters = createMemoryQueue({ clock, visibilityTimeoutS: 30 })
  const main = createMemoryQueue({ clock, visibilityTimeoutS: 30 })
  t.teardown(() => Promise.all([deadLetters.close(), main.close()]))
  const ids: string[] = []
  for (const body of bodies)
    for (const outcome of await deadLetters.send([{ body }]))
      if ('id' in outcome) ids.push(outcome.id)
  const marked: string[] = []
  const records = {
    markRedriven(queueMessageIds: readonly string[]) {
      marked.push(...queueMessageIds)
      return Promise.resolve()
    }
  }
  const signal = new AbortController().signal
  const begin = () =>
    redriveDeadLetters({
      deadLetters,
      writer: main,
      records,
      filter: ALL,
      limit: null,
      ratePerSecond: null,
      clock,
      random: () => 0,
      signal,
      onSent: () => undefined,
      ...over
    })
  const originsSent = async () => (await main.inspect.take(10, 0)).map(({ origin }) => origin)
  return { clock, deadLetters, main, ids, marked, begin, originsSent }
}

const left = (queue: { messages(): readonly { isInFlight: boolean }[] }) =>
  queue.messages().map(({ isInFlight }) => isInFlight)

t.test('what matches is sent with its origin and deleted; the rest is visible again', async t => {
  const bodies = [
    '{"client_id":"a","event_type":"x"}',
    '{"client_id":"b","event_type":"x"}',
    'no event',
    '[]',
    'null',
    '{"client_id":"a"}'
  ]
  const { deadLetters, ids, marked, begin, originsSent } = await setup(t, bodies, {
    filter: { ...ALL, clientId: 'a' }
  })
  t.match(await begin(), { sent: 2, seen: 6, undeleted: 0, failedCode: null, refused: [] })
  t.same(await originsSent(), [ids[0], ids[5]])
  t.same(marked, [ids[0], ids[5]])
  t.same(left(deadLetters), [false, false, false, false])
})

t.test('filters by id, event type and age must all match', async t => {
  const bodies = ['{"event_type":"x"}', '{"event_type":"y"}']
  const rows: readonly (readonly [over: Partial<DeadLetterFilter>, sent: number])[] = [
    [{}, 2],
    [{ eventType: 'x' }, 1],
    [{ ids: new Set(['memory-2']) }, 1],
    [{ ids: new Set(['memory-2']), eventType: 'x' }, 0],
    [{ since: new Date(1_700_000_000_000) }, 2],
    [{ since: new Date(1_700_000_000_001) }, 0],
    [{ olderThan: new Date(1_700_000_000_001) }, 2],
    [{ olderThan: new Date(1_700_000_000_000) }, 0]
  ]
  for (const [over, sent] of rows) {
    const { begin } = await setup(t, bodies, { filter: { ...ALL, ...over } })
    t.equal((await begin()).sent, sent, JSON.stringify(over))
  }
})

t.test('nothing is deleted before its copy is accepted', async t => {
  const { clock, deadLetters, main, begin } = await setup(t, ['one', 'two'])
  for (let n = 0; n < 4; n++) main.failNext('send', new QueueError('ECONNREFUSED', 'down'))
  t.match(await advanceUntil(clock, begin()), { sent: 0, failedCode: 'ECONNREFUSED' })
  t.same(left(deadLetters), [false, false], 'and all is visible again')
  t.match(await begin(), { sent: 2, failedCode: null })
  t.same(left(deadLetters), [])
})

t.test('a message that the queue refuses for good is named and stays', async t => {
  const { deadLetters, begin } = await setup(t, ['x'.repeat(1_048_576), 'fine'])
  t.match(await begin(), { sent: 1, refused: [{ code: 'MessageTooLong' }] })
  t.equal(deadLetters.messages().length, 1)
})

t.test('a failed delete is tried again; one that keeps failing is counted', async t => {
  const { clock, deadLetters, ids, begin } = await setup(t, ['one', 'two'])
  const failure = { id: ids[0] ?? '', code: 'InternalError', retryable: true }
  deadLetters.failEntry('ack', failure)
  t.match(await advanceUntil(clock, begin()), { sent: 2, undeleted: 0 })
  t.same(left(deadLetters), [])
  const stubborn = await setup(t, ['one'])
  for (let n = 0; n < 3; n++)
    stubborn.deadLetters.failNext('ack', new QueueError('ETIMEDOUT', 'no answer'))
  t.match(await advanceUntil(stubborn.clock, stubborn.begin()), { sent: 1, undeleted: 1 })
  t.equal(stubborn.deadLetters.messages().length, 1)
})

t.test('a limit or a stop ends the run and gives back the rest', async t => {
  const bodies = Array.from({ length: 25 }, (_, n) => `body ${n}`)
  const limited = await setup(t, bodies, { limit: 3 })
  t.match(await limited.begin(), { sent: 3, isInterrupted: false })
  t.same(left(limited.deadLetters), Array(22).fill(false))
  const stop = new AbortController()
  const stopped = await setup(t, bodies, { signal: stop.signal, onSent: () => stop.abort() })
  t.match(await stopped.begin(), { sent: 10, isInterrupted: true })
  t.same(left(stopped.deadLetters), Array(15).fill(false))
})

t.test('a copy that became a dead letter keeps its first origin', async t => {
  const { deadLetters, begin, originsSent } = await setup(t, [])
  await deadLetters.send([{ body: 'a body', origin: 'the first id' }])
  await begin()
  t.same(await originsSent(), ['the first id'])
})
