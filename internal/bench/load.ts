/** What goes into the queue: as fast as possible before a scenario, at a steady rate while latency is watched. */
import { systemClock } from '../lifecycle/clock.js'
import { DEFAULT_BODY_BYTES, DEFAULT_CLIENTS } from '../producer/events.js'
import { runLoad } from '../producer/load.js'
import { createRandom } from '../producer/random.js'
import type { SqsSender } from '../queue/call.js'
import { createSqsWriter } from '../queue/sqs-writer.js'

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

const CONCURRENCY = 8

/** Resolves when the queue has accepted all of them. */
export async function sendLoad({ sqs, queueUrl, count, ratePerSecond, seed, signal }: Load): Promise<void> {
  const { sent } = await runLoad({
    count,
    duplicates: 0,
    invalid: 0,
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
    concurrency: CONCURRENCY,
    ledger: null,
    onProgress: () => undefined
  })
  if (sent !== count) throw new Error(signal.aborted ? 'stopped' : `the queue took ${sent} of ${count} events`)
}
