/**
 * Keeps a redrive or a backfill to its rate.
 *
 * Await `due` before each batch, and call `spent` after it with the number sent. Batches
 * are small at low rates, so that one per second does not become ten every ten seconds.
 *
 * Units   messages, or deliveries, per second.
 */
import type { Clock } from '../lifecycle/clock.js'
import { delay } from '../lifecycle/interrupt.js'

export interface BatchPace {
  /** The largest batch allowed. */
  readonly batchSize: number
  /** Resolves when the next batch is due, or when `signal` aborts. */
  due(signal: AbortSignal): Promise<void>
  spent(messages: number): void
}

export function createBatchPace(
  ratePerSecond: number | null,
  clock: Clock,
  maxBatch: number
): BatchPace {
  if (ratePerSecond === null)
    return { batchSize: maxBatch, due: () => Promise.resolve(), spent: () => undefined }
  let dueAtMs = clock.monotonicMs()
  return {
    batchSize: Math.max(1, Math.min(maxBatch, Math.floor(ratePerSecond))),
    async due(signal) {
      const waitMs = dueAtMs - clock.monotonicMs()
      if (waitMs > 0) await delay(clock, waitMs, signal)
    },
    spent(messages) {
      // Counts from now, not from when it was due: a pause is not followed by a burst.
      dueAtMs = Math.max(dueAtMs, clock.monotonicMs()) + (messages * 1_000) / ratePerSecond
    }
  }
}
