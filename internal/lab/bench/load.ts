/**
 * Fills the queue: as fast as possible before a scenario, at a steady rate while latency
 * is measured.
 *
 * Errors  an event that the queue refuses fails the run: a measured run has none.
 */

import { createRandom } from '../../engine/cli/random.js'
import { systemClock } from '../../engine/lifecycle/clock.js'
import type { SqsSender } from '../../engine/queue/sqs/call.js'
import { createSqsClient } from '../../engine/queue/sqs/client.js'
import { createSqsWriter } from '../../engine/queue/sqs/writer.js'
import { DEFAULT_BODY_BYTES, DEFAULT_CLIENTS } from '../../systems/events/producer/events.js'
import { type LoadTotals, runLoad } from '../../systems/events/producer/load.js'
import { makeHostileEvents } from './hostile-events.js'
import type { BaselineSpec } from './protocol.js'
import { type LoadKind, MIXED_SHARES } from './scenarios.js'

export interface Load {
  readonly sqs: SqsSender
  readonly queueUrl: string
  readonly count: number
  /** Null: as fast as possible. */
  readonly ratePerSecond: number | null
  /** The same seed sends the same bodies: every subject gets the same ones. */
  readonly seed: string
  readonly signal: AbortSignal
}

/** The rows that the tables must hold afterwards, and no others. */
export interface ExpectedRows {
  readonly stored: number
  readonly rejected: number
}

const SEND_CONCURRENCY = 8
const CLEAN_SHARES = { duplicates: 0, invalid: 0 }

/** Resolves when the queue has accepted all events. */
export async function sendLoad(load: Load, kind: LoadKind = 'clean'): Promise<ExpectedRows> {
  if (kind === 'hostile') return sendHostile(load)
  const { sent, duplicates, invalid } = await generate(
    load,
    kind === 'mixed' ? MIXED_SHARES : CLEAN_SHARES,
    () => undefined
  )
  if (sent !== load.count)
    throw new Error(
      load.signal.aborted ? 'stopped' : `the queue took ${sent} of ${load.count} events`
    )
  return { stored: sent - duplicates - invalid, rejected: invalid }
}

async function sendHostile({ sqs, queueUrl, count, seed, signal }: Load): Promise<ExpectedRows> {
  const { batches, stored, rejected } = makeHostileEvents(count, seed)
  const writer = createSqsWriter({ sqs, queueUrl })
  let next = 0
  const work = async (): Promise<void> => {
    for (let batch = batches[next++]; batch !== undefined; batch = batches[next++]) {
      if (signal.aborted) throw new Error('stopped')
      const outcomes = await writer.send(batch)
      const refused = outcomes.find(outcome => 'code' in outcome)
      if (refused !== undefined) throw new Error(`the queue did not take an event: ${refused.code}`)
    }
  }
  await Promise.all(Array.from({ length: SEND_CONCURRENCY }, work))
  return { stored, rejected }
}

/**
 * The load generator as a subject; reports how many events the queue has accepted so far.
 */
export async function runBenchProducers(
  { aws, queueUrl, events }: BaselineSpec,
  onSent: (sent: number) => void
): Promise<void> {
  const sqs = createSqsClient({ ...aws, maxSockets: SEND_CONCURRENCY })
  const { signal } = new AbortController()
  await generate(
    { sqs, queueUrl, count: events, ratePerSecond: null, seed: 'producers', signal },
    CLEAN_SHARES,
    onSent
  )
}

function generate(
  load: Load,
  shares: typeof CLEAN_SHARES,
  onSent: (sent: number) => void
): Promise<LoadTotals> {
  const { sqs, queueUrl, count, ratePerSecond, seed, signal } = load
  return runLoad({
    count,
    ...shares,
    clients: DEFAULT_CLIENTS,
    bodyBytes: DEFAULT_BODY_BYTES,
    random: createRandom(seed),
    queue: createSqsWriter({ sqs, queueUrl }),
    clock: systemClock,
    signal,
    jitter: Math.random,
    onProblem: ({ code, entries }) => {
      throw new Error(`the queue did not take ${entries} events: ${code}`)
    },
    ratePerSecond,
    concurrency: SEND_CONCURRENCY,
    ledger: null,
    onProgress: ({ sent }) => onSent(sent)
  })
}
