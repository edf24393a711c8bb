/**
 * Splits lists into batch calls that SQS accepts.
 *
 * Calls follow one another. If one fails as a whole, the queue is not answering, and
 * asking it for the rest would only take longer: no further call is made.
 *
 * Errors  a list whose first call fails rejects with its error; a later failure counts
 *         for each entry that is left.
 */
import type { OutgoingMessage, Receipt, SettleFailure } from '../queue.js'
import { asQueueError } from './aws-error.js'
import { BATCH_ENTRIES, MAX_MESSAGE_BYTES, messageBytes } from './limits.js'

type SettleBatch = (receipts: readonly Receipt[]) => Promise<readonly SettleFailure[]>

/** Settles a list of any length; one that fits a call is passed on as it is. */
export function settleInBatches(
  receipts: readonly Receipt[],
  settle: SettleBatch
): Promise<readonly SettleFailure[]> {
  if (receipts.length === 0) return Promise.resolve([])
  return receipts.length <= BATCH_ENTRIES ? settle(receipts) : settleLong(receipts, settle)
}

async function settleLong(
  receipts: readonly Receipt[],
  settle: SettleBatch
): Promise<readonly SettleFailure[]> {
  const failures: SettleFailure[] = []
  for (let at = 0; at < receipts.length; at += BATCH_ENTRIES) {
    try {
      failures.push(...(await settle(receipts.slice(at, at + BATCH_ENTRIES))))
    } catch (error) {
      if (at === 0) throw error
      const { code } = asQueueError(error)
      for (const { id } of receipts.slice(at)) failures.push({ id, code, retryable: true })
      break
    }
  }
  return failures
}

/**
 * Where the batch that begins at `from` ends: it has as many messages as one call holds,
 * in entries and in bytes, and at least one.
 */
export function endOfBatch(messages: readonly OutgoingMessage[], from: number): number {
  let bytes = 0
  let end = from
  for (; end < messages.length && end - from < BATCH_ENTRIES; end++) {
    bytes += messageBytes(messages[end] as OutgoingMessage)
    if (end > from && bytes > MAX_MESSAGE_BYTES) break
  }
  return end
}
