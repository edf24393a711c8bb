/**
 * Goes through deliveries, or through the events to make them from, page by page. A page
 * is one statement: an interrupted run leaves whole pages behind, and a new run continues
 * with the rest.
 *
 * Units   deliveries per second.
 * Errors  StoreError; the pages before it stay.
 */
import type { Clock } from '../../../engine/lifecycle/clock.js'
import { createBatchPace } from '../../../engine/rate/batch-pace.js'
import type { MovedPage } from '../delivery/store/delivery-records.js'

export interface MoveOptions<Place> {
  /** Null: the endpoint is no longer enabled. */
  readonly page: (after: Place, maxRows: number) => Promise<MovedPage<Place> | null>
  readonly start: Place
  readonly limit: number | null
  readonly ratePerSecond: number | null
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onMoved: (moved: number) => void
}

export interface MoveResult {
  readonly moved: number
  readonly isInterrupted: boolean
  /** The endpoint was disabled meanwhile. */
  readonly isDisabled: boolean
}

const PAGE_ROWS = 1_000

export async function moveDeliveries<Place>(options: MoveOptions<Place>): Promise<MoveResult> {
  const { page, start, limit, ratePerSecond, clock, signal, onMoved } = options
  const pace = createBatchPace(ratePerSecond, clock, PAGE_ROWS)
  let after = start
  let moved = 0
  while (limit === null || moved < limit) {
    await pace.due(signal)
    if (signal.aborted) return { moved, isInterrupted: true, isDisabled: false }
    const done = await page(
      after,
      limit === null ? pace.batchSize : Math.min(pace.batchSize, limit - moved)
    )
    if (done === null) return { moved, isInterrupted: false, isDisabled: true }
    moved += done.deliveries
    pace.spent(done.deliveries)
    onMoved(moved)
    if (done.last === null) break
    after = done.last
  }
  return { moved, isInterrupted: false, isDisabled: false }
}
