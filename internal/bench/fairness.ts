/**
 * Does one client's flood hold back the others? Some quiet clients send at a low steady rate, first alone, then beside a noisy one that has
 * filled the queue and goes on sending a hundred times what all of them send, then once more with messages of no group, so that the
 * queue hands them out in the order of sending.
 *
 * The dwell of an event is from its own send time, which its payload holds, to the start of the transaction that stored it: both clocks
 * are this machine's.
 *
 * Units   in the names.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { MAX_BATCH_ENTRIES, type OutgoingMessage } from '../queue/queue.js'
import { createSqsWriter } from '../queue/sqs-writer.js'
import { openFreshQueue } from './fresh-queue.js'
import { atLeast, atMost, type Goal } from './goals.js'
import { startProcessor } from './processor-subject.js'
import type { Bench } from './run-scenario.js'
import { formatTable } from './table.js'

export const FAIRNESS_SITUATIONS = ['alone', 'flood', 'flood without groups'] as const
export type FairnessSituation = (typeof FAIRNESS_SITUATIONS)[number]

export interface FairnessResult {
  readonly situation: FairnessSituation
  readonly noisyPerSecond: number
  /** What the noisy client still had in the queue when the quiet ones ended. */
  readonly backlog: number
  readonly quietEvents: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Of what each quiet client had stored when the sending ended: 1 is the same for all. */
  readonly jain: number
}

const QUIET = Array.from({ length: 5 }, (_, n) => `quiet-${n + 1}`)
const NOISY = 'noisy'
/** Of its own, so that no payload schema has a say. */
const EVENT_TYPE = 'fairness'
const QUIET_EVERY_MS = 50
const FLOOD_RATIO = 100
const BACKLOG_PER_SECOND = 20_000
const NOISY_SENDERS = 4
const SETTLE_MS = 1_500
const SETTLED_WITHIN_MS = 60_000

const READ_DWELL = `
SELECT count(*)::int AS events,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY dwell) AS p50, percentile_cont(0.99) WITHIN GROUP (ORDER BY dwell) AS p99, max(dwell) AS max
FROM (SELECT extract(epoch FROM received_at)::float8 * 1000 - (message->>'sentAtMs')::float8 AS dwell FROM message
      WHERE fk_client_name = ANY ($1)) AS d`
const COUNT_BY_CLIENT = `
SELECT c.name, count(m.message_id)::int AS events FROM client c LEFT JOIN message m ON m.fk_client_name = c.name
WHERE c.name = ANY ($1) GROUP BY c.name`

export async function measureFairness(bench: Bench, seconds: number, situation: FairnessSituation): Promise<FairnessResult> {
  const { services, options, directory, env } = bench
  const { db, sqs } = services
  await db.query('TRUNCATE message, rejection')
  await db.query('INSERT INTO client (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING', [[...QUIET, NOISY]])
  await db.query('INSERT INTO event_type (name) VALUES ($1) ON CONFLICT DO NOTHING', [EVENT_TYPE])
  const queue = await openFreshQueue(sqs, 'fairness')
  const writer = createSqsWriter({ sqs, queueUrl: queue.url })
  const hasGroups = situation !== 'flood without groups'
  const messageOf = (client: string): OutgoingMessage => {
    const message = { sentAtMs: Date.now(), note: 'an event as large as most, so that a batch of them is a usual one '.repeat(4) }
    const body = JSON.stringify({ client_id: client, event_type: EVENT_TYPE, message })
    return hasGroups ? { body, group: client } : { body }
  }
  const send = async (client: string, count: number): Promise<void> => {
    const outcomes = await writer.send(Array.from({ length: count }, () => messageOf(client)))
    if (outcomes.some(outcome => 'code' in outcome)) throw new Error('the queue did not take an event')
  }
  try {
    let noisySent = 0
    let isSending = true
    const flood = async (until: () => boolean): Promise<void> => {
      while (!until()) {
        noisySent += MAX_BATCH_ENTRIES
        await send(NOISY, MAX_BATCH_ENTRIES)
      }
    }
    const floodBy = (until: () => boolean): Promise<unknown> => Promise.all(Array.from({ length: NOISY_SENDERS }, () => flood(until)))
    const isFlooded = situation !== 'alone'
    if (isFlooded) await floodBy(() => noisySent >= BACKLOG_PER_SECOND * seconds || bench.signal.aborted)
    const { aws, dbConnection } = services
    const { workers, pollers } = options
    const subject = await startProcessor({
      sqsEndpoint: aws.endpoint,
      dbConnection,
      queueName: queue.name,
      workers,
      pollers,
      directory,
      env
    })
    try {
      const work = async (): Promise<FairnessResult> => {
        await delay(SETTLE_MS)
        const before = noisySent
        const startedMs = performance.now()
        const perSecond = FLOOD_RATIO * QUIET.length * (1_000 / QUIET_EVERY_MS)
        const isAhead = (): boolean => noisySent - before > (perSecond * (performance.now() - startedMs)) / 1_000
        const isOver = (): boolean => !isSending
        const noisy = isFlooded ? paced(isOver, isAhead, () => floodBy(() => isOver() || isAhead())) : Promise.resolve()
        const quietEvents = await sendQuiet(seconds, client => send(client, 1))
        const elapsedS = (performance.now() - startedMs) / 1_000
        const { rows: served } = await db.query<{ events: number }>(COUNT_BY_CLIENT, [QUIET])
        const { rows: noisyRows } = await db.query<{ events: number }>(COUNT_BY_CLIENT, [[NOISY]])
        isSending = false
        await noisy
        const dwell = await readAll(quietEvents)
        return {
          situation,
          noisyPerSecond: Math.round((noisySent - before) / elapsedS),
          backlog: noisySent - (noisyRows[0]?.events ?? 0),
          quietEvents,
          p50Ms: dwell.p50,
          p99Ms: dwell.p99,
          maxMs: dwell.max,
          jain: jainIndex(served.map(({ events }) => events))
        }
      }
      return await Promise.race([work(), subject.failure, bench.aborted])
    } finally {
      isSending = false
      await subject.stop()
    }
  } finally {
    await queue.remove()
  }

  async function readAll(expected: number): Promise<{ p50: number; p99: number; max: number }> {
    const untilMs = performance.now() + SETTLED_WITHIN_MS
    for (;;) {
      const { rows } = await db.query<{ events: number; p50: number; p99: number; max: number }>(READ_DWELL, [QUIET])
      const [dwell] = rows
      if (dwell?.events === expected) return dwell
      if (performance.now() > untilMs) throw new Error(`${dwell?.events ?? 0} of ${expected} events of the quiet clients are stored`)
      await delay(100)
    }
  }
}

/** Sends, whenever it is not ahead of its rate, until it is to end. */
async function paced(isOver: () => boolean, isAhead: () => boolean, catchUp: () => Promise<unknown>): Promise<void> {
  while (!isOver()) {
    if (isAhead()) await delay(5)
    else await catchUp()
  }
}

/** Each client at its steady rate, apart from the others; the number of events. */
async function sendQuiet(seconds: number, send: (client: string) => Promise<void>): Promise<number> {
  const rounds = Math.round((seconds * 1_000) / QUIET_EVERY_MS)
  const startedMs = performance.now()
  await Promise.all(
    QUIET.map(async (client, n) => {
      for (let round = 0; round < rounds; round++) {
        const dueMs = startedMs + (round + n / QUIET.length) * QUIET_EVERY_MS
        const waitMs = dueMs - performance.now()
        if (waitMs > 0) await delay(waitMs)
        await send(client)
      }
    })
  )
  return rounds * QUIET.length
}

/** 1 where all get the same, 1 / n where one gets everything. */
export function jainIndex(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0)
  const squares = shares.reduce((total, share) => total + share * share, 0)
  return squares === 0 ? 0 : (sum * sum) / (shares.length * squares)
}

export function fairnessTable(results: readonly FairnessResult[]): string {
  const head = ['quiet clients', 'noisy events/s', 'its backlog', 'p50 ms', 'p99 ms', 'max ms', 'p99 / alone', 'Jain']
  const alone = results.find(({ situation }) => situation === 'alone')
  return formatTable([
    head,
    ...results.map(({ situation, noisyPerSecond, backlog, p50Ms, p99Ms, maxMs, jain }) => [
      situation,
      noisyPerSecond.toLocaleString('en-US'),
      backlog.toLocaleString('en-US'),
      p50Ms.toFixed(1),
      p99Ms.toFixed(1),
      maxMs.toFixed(1),
      alone === undefined ? 'n/a' : (p99Ms / alone.p99Ms).toFixed(2),
      jain.toFixed(3)
    ])
  ])
}

export function fairnessGoals(results: readonly FairnessResult[]): readonly Goal[] {
  const of = (wanted: FairnessSituation): FairnessResult | undefined => results.find(({ situation }) => situation === wanted)
  const [alone, flood] = [of('alone'), of('flood')]
  return [
    atMost('p99 of the quiet clients, with the flood / alone', 2, '×', alone && flood && flood.p99Ms / alone.p99Ms),
    atLeast('Jain index of the quiet clients in the flood', 0.99, '', flood?.jain)
  ]
}
