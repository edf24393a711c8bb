/**
 * What the intake reports to logs and counters; each call returns at once.
 */
import type { Disposition, Entry, ReceivedMessage, Rejection } from '../message/message.js'
import type { QueueError } from '../queue/queue.js'
import type { FlushCause } from './batch.js'
import type { GateReason } from './gate.js'
import type { StoreError } from './store.js'

export interface IntakeObserver<Item, Refused extends Rejection = Rejection> {
  received(messages: readonly ReceivedMessage[]): void
  /**
   * A transaction has committed, with the disposition of each entry, in order. `tookMs`
   * counts from the first attempt.
   */
  committed(
    entries: readonly Entry<Item, Refused>[],
    dispositions: readonly Disposition[],
    cause: FlushCause,
    tookMs: number
  ): void
  receiveFailed(error: QueueError): void
  /** Entries whose delete failed; `isFinal` when they are left to redelivery. */
  deleteFailed(code: string, entries: number, isFinal: boolean): void
  extendFailed(code: string, entries: number): void
  storeFailed(error: StoreError, attempt: number): void
  storeRecovered(): void
  gateChanged(isOpen: boolean, reasons: readonly GateReason[]): void
  /**
   * A message that cannot be given a disposition here; the queue's redrive policy takes
   * it to the dead-letter queue.
   */
  leftToQueue(messageId: string, error: unknown): void
}
