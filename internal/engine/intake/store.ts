/**
 * The port to the database: one batch, one transaction, one disposition per entry.
 *
 * Shapes  entries in, dispositions out in the same order.
 * Errors  StoreError with the `fault` that decides what happens next; nothing of a failed
 *         batch is stored, except where the answer to COMMIT was lost (see
 *         `Store.insert`).
 * Source  internal/docs/architecture.md, invariants I1 to I7.
 */
import type { Disposition, Entry } from '../message/message.js'

/** A transaction that is about to commit. */
export interface PreparedCommit {
  /** Its transaction id, as `wasCommitted` takes it. */
  readonly tx: string
  /** What each entry becomes if it commits, in the order of the batch. */
  readonly dispositions: readonly Disposition[]
}

export interface Store {
  /**
   * Writes `batch` in one transaction: valid events to `message`, refused ones to
   * `rejection`.
   *
   * Per valid entry: `stored`; `duplicate` (same client, id, event type and payload are
   * stored already); `conflict` (same client and id, anything else differs);
   * `unknown-client`; `unknown-event-type`. The last three are also rows of `rejection`
   * in the same transaction. Per refused entry: its reason, or `duplicate` when this
   * queue message already has its row (a redelivery). A key may stand in a batch several
   * times: the database decides which entry is stored, as if they had come one after the
   * other.
   *
   * `onPrepared` runs after all statements and before COMMIT; its rejection rolls back.
   * If `insert` rejects after `onPrepared` was called, the commit may or may not have
   * happened: ask `wasCommitted`.
   */
  insert(
    batch: readonly Entry[],
    onPrepared: (prepared: PreparedCommit) => Promise<void>
  ): Promise<readonly Disposition[]>
  /**
   * Whether the transaction took effect. Rejects with a transient StoreError while the
   * server cannot say yet.
   */
  wasCommitted(tx: string): Promise<boolean>
  /**
   * Resolves when the database takes writes and has our tables; rejects with the
   * StoreError that says why not.
   */
  probe(): Promise<void>
  close(): Promise<void>
}

/**
 * What a failure is about, and so what to do: `transient` (connection, resources,
 * shutdown, deadlock, read-only): the same batch again after a backoff; `data` (one row
 * cannot be stored): halve the batch until it stands alone; `schema` (our tables are not
 * as expected, or access is denied): not ready, nothing is deleted, try again after a
 * backoff.
 */
export type StoreFault = 'transient' | 'data' | 'schema'

export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly fault: StoreFault
  /** SQLSTATE, or the network's error code, e.g. `40P01`, `ECONNREFUSED`. */
  readonly code: string

  constructor(fault: StoreFault, code: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.fault = fault
    this.code = code
  }
}
