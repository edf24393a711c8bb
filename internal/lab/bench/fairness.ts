/**
 * Does one client's flood hold back the others? Five quiet clients send at a low, steady
 * rate in four situations:
 *   alone
 *   flood                     with a noisy client that sends a hundred times as much as
 *                             each of them: 95 % of all events
 *   overload                  with a client that has filled the queue and sends a hundred
 *                             times as much as all of them, more than the processor takes
 *   overload without groups   the same with messages of no group, which the queue hands
 *                             out in the order of sending
 *
 * Alone and flood take turns on one warm processor, because a shared machine changes from
 * one minute to the next; the report takes medians over the turns. The dwell is the
 * processor's own figure by client: from the queue's `SentTimestamp` to the answer to
 * COMMIT.
 *
 * Units   in the names.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Labels } from '../../engine/observe/prometheus-text.js'
import type { OutgoingMessage, QueueWriter } from '../../engine/queue/queue.js'
import { createSqsWriter } from '../../engine/queue/sqs/writer.js'
import {
  type FairnessSituation,
  type FairnessSizes,
  type FairnessTurn,
  jainIndex
} from './fairness-report.js'
import { type FreshQueue, openFreshQueue } from './fresh-queue.js'
import { countOf, type Histogram, quantileOf, since } from './histogram.js'
import { createNoisyClient, type NoisyClient } from './noisy-client.js'
import { type ProcessorSubject, startProcessorSubject } from './processor-subject.js'
import { readHistogram } from './read-histogram.js'
import type { Bench } from './run-scenario.js'
import type { BenchServices } from './services.js'

const QUIET = Array.from({ length: 5 }, (_, n) => `quiet-${n + 1}`)
const isQuiet = ({ client = '' }: Labels): boolean => client.startsWith('quiet-')
const NOISY = 'noisy'
/** A type of its own, so that no payload schema applies. */
const EVENT_TYPE = 'fairness'
const QUIET_EVERY_MS = 50
const FLOOD_RATIO = 100
const FLOOD_PER_SECOND = (FLOOD_RATIO * 1_000) / QUIET_EVERY_MS
const OVERLOAD_PER_SECOND = FLOOD_PER_SECOND * QUIET.length
/**
 * Per second of a turn. Together with what is sent meanwhile it is more than the
 * processor takes, so the backlog lasts for the whole turn.
 */
const BACKLOG_PER_SECOND = 15_000
const WARM_UP_SECONDS = 3
const SETTLE_MS = 1_000
const SETTLED_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 100

const COUNT_BY_CLIENT = `
SELECT c.name, count(m.message_id)::int AS events FROM client c LEFT JOIN message m ON m.fk_client_name = c.name
WHERE c.name = ANY ($1) GROUP BY c.name`

export async function measureFairness(
  bench: Bench,
  { rounds, seconds }: FairnessSizes,
  say: (line: string) => void
): Promise<readonly FairnessTurn[]> {
  const { services, options, directory, env } = bench
  const { db, sqs, aws, dbConnection } = services
  const { workers, pollers } = options
  await db.query('INSERT INTO client (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING', [
    [...QUIET, NOISY]
  ])
  await db.query('INSERT INTO event_type (name) VALUES ($1) ON CONFLICT DO NOTHING', [EVENT_TYPE])
  const queue = await openFreshQueue(sqs, 'fairness')
  try {
    const place = { sqsEndpoint: aws.endpoint, dbConnection, queueName: queue.name, directory, env }
    const subject = await startProcessorSubject({ ...place, workers, pollers })
    const course = new Course(services, queue, subject)
    const work = async (): Promise<readonly FairnessTurn[]> => {
      say('  warming up …')
      await course.takeTurn('overload', WARM_UP_SECONDS)
      const turns: FairnessTurn[] = []
      for (let round = 1; round <= rounds; round++) {
        say(`  round ${round} of ${rounds}: alone and with the flood …`)
        // Alternate which one comes first.
        const order =
          round % 2 === 1 ? (['alone', 'flood'] as const) : (['flood', 'alone'] as const)
        for (const situation of order) turns.push(await course.takeTurn(situation, seconds))
      }
      for (const situation of ['overload', 'overload without groups'] as const) {
        say(`  ${situation} …`)
        turns.push(await course.takeTurn(situation, seconds))
      }
      return turns
    }
    try {
      return await Promise.race([work(), subject.failure, bench.aborted])
    } finally {
      await subject.stop()
    }
  } finally {
    await queue.remove()
  }
}

/** One processor on one queue, for all turns. */
class Course {
  readonly #db: BenchServices['db']
  readonly #writer: QueueWriter
  readonly #queue: FreshQueue
  readonly #subject: ProcessorSubject
  /** Dwell of all events that the quiet clients have sent so far. */
  #dwell: Histogram | null = null

  constructor({ db, sqs }: BenchServices, queue: FreshQueue, subject: ProcessorSubject) {
    this.#db = db
    this.#writer = createSqsWriter({ sqs, queueUrl: queue.url })
    this.#queue = queue
    this.#subject = subject
  }

  async takeTurn(situation: FairnessSituation, seconds: number): Promise<FairnessTurn> {
    const hasGroups = situation !== 'overload without groups'
    const isOverload = situation !== 'alone' && situation !== 'flood'
    await this.#db.query('TRUNCATE message, rejection')
    await this.#db.query('CHECKPOINT')
    const before = this.#dwell ?? (await this.#readDwell(0))
    const noisy = createNoisyClient({
      send: (events, delayS) => this.#send({ ...messageOf(NOISY, hasGroups), delayS }, events),
      backlog: BACKLOG_PER_SECOND * seconds,
      perSecond: isOverload ? OVERLOAD_PER_SECOND : FLOOD_PER_SECOND
    })
    if (isOverload) await noisy.pileUp()
    const talking = situation === 'alone' ? Promise.resolve() : noisy.talk()
    const watching = this.#watch(noisy, seconds, client =>
      this.#send(messageOf(client, hasGroups), 1)
    )
    const [seen] = await Promise.all([watching, talking]).finally(() => noisy.stop())
    const after = await this.#readDwell(countOf(before) + seen.quietEvents)
    this.#dwell = after
    await this.#waitUntil(
      async () => ((await this.#queue.depth()) === 0 ? true : null),
      'the queue is not empty'
    )
    const quantileMs = (share: number): number =>
      (quantileOf(since(before, after), share) ?? 0) * 1_000
    return { situation, ...seen, p50Ms: quantileMs(0.5), p99Ms: quantileMs(0.99) }
  }

  /** Lets the quiet clients send, and stops the noisy one when they have finished. */
  async #watch(
    noisy: NoisyClient,
    seconds: number,
    send: (client: string) => Promise<void>
  ): Promise<Omit<FairnessTurn, 'situation' | 'p50Ms' | 'p99Ms'>> {
    await delay(SETTLE_MS)
    const [storedBefore = 0] = await this.#storedBy([NOISY])
    const { sent } = noisy
    const startedMs = performance.now()
    const sendMs = await sendQuiet(seconds, send)
    const elapsedS = (performance.now() - startedMs) / 1_000
    const noisySentPerSecond = (noisy.sent - sent) / elapsedS
    const jain = jainIndex(await this.#storedBy(QUIET))
    const [stored = 0] = await this.#storedBy([NOISY])
    const backlog = noisy.sent - stored
    noisy.stop()
    const quietEvents = sendMs.length
    const sendP99Ms = sendMs.sort((a, b) => a - b)[Math.ceil(quietEvents * 0.99) - 1] ?? 0
    return {
      quietEvents,
      sendP99Ms,
      jain,
      noisySentPerSecond,
      noisyStoredPerSecond: (stored - storedBefore) / elapsedS,
      backlog
    }
  }

  async #send(message: OutgoingMessage, events: number): Promise<void> {
    const outcomes = await this.#writer.send(Array.from({ length: events }, () => message))
    if (outcomes.some(outcome => 'code' in outcome))
      throw new Error('the queue did not take an event')
  }

  /** Resolves once it holds exactly `events` events. */
  #readDwell(events: number): Promise<Histogram> {
    return this.#waitUntil(async () => {
      const dwell = readHistogram(
        await this.#subject.metrics(),
        'event_process_client_queue_dwell_seconds',
        isQuiet
      )
      return dwell !== null && countOf(dwell) === events ? dwell : null
    }, `the processor has not reported ${events} events of the quiet clients`)
  }

  async #storedBy(clients: readonly string[]): Promise<readonly number[]> {
    const { rows } = await this.#db.query<{ events: number }>(COUNT_BY_CLIENT, [clients])
    return rows.map(({ events }) => events)
  }

  async #waitUntil<T>(look: () => Promise<T | null>, otherwise: string): Promise<T> {
    const untilMs = performance.now() + SETTLED_WITHIN_MS
    for (;;) {
      const seen = await look()
      if (seen !== null) return seen
      if (performance.now() > untilMs) throw new Error(otherwise)
      await delay(LOOK_EVERY_MS)
    }
  }
}

function messageOf(client: string, hasGroup: boolean): OutgoingMessage {
  const message = {
    note: 'an event as large as most, so that a batch of them is a usual one '.repeat(4)
  }
  const body = JSON.stringify({ client_id: client, event_type: EVENT_TYPE, message })
  return hasGroup ? { body, group: client } : { body }
}

/** Sends for each client at a steady rate, staggered; returns how long each send took. */
async function sendQuiet(
  seconds: number,
  send: (client: string) => Promise<void>
): Promise<number[]> {
  const rounds = Math.round((seconds * 1_000) / QUIET_EVERY_MS)
  const startedMs = performance.now()
  const tookMs: number[] = []
  await Promise.all(
    QUIET.map(async (client, n) => {
      for (let round = 0; round < rounds; round++) {
        const dueMs = startedMs + (round + n / QUIET.length) * QUIET_EVERY_MS
        const waitMs = dueMs - performance.now()
        if (waitMs > 0) await delay(waitMs)
        const sentMs = performance.now()
        await send(client)
        tookMs.push(performance.now() - sentMs)
      }
    })
  )
  return tookMs
}
