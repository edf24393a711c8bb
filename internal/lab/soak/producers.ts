/**
 * The producers of a soak: as fast as the processor keeps up while the rate is measured,
 * at a steady rate after that.
 *
 * Errors  an event that the queue refuses fails the run.
 */

import { createRandom } from '../../engine/cli/random.js'
import { systemClock } from '../../engine/lifecycle/clock.js'
import type { QueueWriter } from '../../engine/queue/queue.js'
import { DEFAULT_BODY_BYTES, DEFAULT_CLIENTS } from '../../systems/events/producer/events.js'
import { type LoadTotals, runLoad } from '../../systems/events/producer/load.js'

export interface ProducersOptions {
  readonly queue: QueueWriter
  /** Null: as fast as `mayGoOn` allows. */
  readonly ratePerSecond: number | null
  /** Different seeds send different events. */
  readonly seed: string
  readonly signal: AbortSignal
  readonly mayGoOn: () => Promise<void>
}

const CONCURRENCY = 4
const SHARES = { duplicates: 0.1, invalid: 0.05 }

/** Resolves when `signal` is aborted and the calls under way have ended. */
export function runSoakProducers({
  queue,
  ratePerSecond,
  seed,
  signal,
  mayGoOn
}: ProducersOptions): Promise<LoadTotals> {
  return runLoad({
    count: null,
    ...SHARES,
    clients: DEFAULT_CLIENTS,
    bodyBytes: DEFAULT_BODY_BYTES,
    random: createRandom(seed),
    queue: {
      ...queue,
      async send(messages) {
        await mayGoOn()
        return queue.send(messages)
      }
    },
    clock: systemClock,
    signal,
    jitter: Math.random,
    onProblem: ({ code, entries, retryInMs }) => {
      if (retryInMs === null) throw new Error(`the queue refuses ${entries} events: ${code}`)
    },
    ratePerSecond,
    concurrency: CONCURRENCY,
    ledger: null,
    onProgress: () => undefined
  })
}
