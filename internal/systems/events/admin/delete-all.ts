/**
 * Deletes messages that were taken from a queue.
 *
 * Errors  none: what could not be deleted after a few attempts is returned, and comes
 *         back by itself.
 */
import type { Clock } from '../../../engine/lifecycle/clock.js'
import { delay } from '../../../engine/lifecycle/interrupt.js'
import {
  type InspectableQueue,
  QueueError,
  type Receipt,
  type SettleFailure
} from '../../../engine/queue/queue.js'

export interface DeleteOptions {
  readonly queue: Pick<InspectableQueue, 'ack'>
  readonly clock: Clock
  readonly signal: AbortSignal
}

const ATTEMPTS = 3
const RETRY_MS = 200

/** Up to MAX_BATCH_ENTRIES of them. */
export async function deleteAll(
  receipts: readonly Receipt[],
  { queue, clock, signal }: DeleteOptions
): Promise<readonly SettleFailure[]> {
  let open = receipts
  let stale: readonly SettleFailure[] = []
  for (let attempt = 1; open.length > 0; attempt++) {
    const failures = await acknowledge(open, queue)
    stale = [...stale, ...failures.filter(({ retryable }) => !retryable)]
    const again = failures.filter(({ retryable }) => retryable)
    if (again.length === 0) break
    if (attempt === ATTEMPTS) return [...stale, ...again]
    open = open.filter(({ id }) => again.some(failure => failure.id === id))
    await delay(clock, RETRY_MS * attempt, signal)
  }
  return stale
}

async function acknowledge(
  receipts: readonly Receipt[],
  queue: Pick<InspectableQueue, 'ack'>
): Promise<readonly SettleFailure[]> {
  try {
    return await queue.ack(receipts)
  } catch (error) {
    if (!(error instanceof QueueError)) throw error
    const { code } = error
    return receipts.map(({ id }) => ({ id, code, retryable: true }))
  }
}
