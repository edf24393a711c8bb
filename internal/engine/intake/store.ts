/**
 * The port to the database: one batch, one transaction, one disposition per entry, in two
 * phases, so that what a transaction adds can be announced before it commits.
 *
 * Shapes  entries in, dispositions out in the same order.
 * Errors  StoreError with the `fault` that decides what happens next; nothing of a failed
 *         batch is stored, except where the answer to COMMIT was lost (see
 *         `Prepared.commit`).
 * Source  internal/docs/architecture.md, invariants I1 to I7.
 */
import type { Disposition, Entry, Rejection } from '../message/message.js'

/**
 * A transaction that has written its batch and is about to commit. It holds a connection
 * until `commit` or `rollBack`: exactly one of them is called, once.
 */
export interface Prepared {
  /** Its transaction id, as `wasCommitted` takes it. */
  readonly tx: string
  /** What each entry becomes if it commits, in the order of the batch. */
  readonly dispositions: readonly Disposition[]
  /**
   * Resolves when the rows are on disk, for every session to see. When it rejects, they
   * may be there or not: ask `wasCommitted`.
   */
  readonly commit: () => Promise<void>
  /** Leaves nothing behind; does not reject. */
  readonly rollBack: () => Promise<void>
}

export interface Store<Item, Refused extends Rejection = Rejection> {
  /**
   * Writes `batch` in one transaction: items, and refused bodies with their rejections.
   *
   * Per valid entry: `stored`; `duplicate` (the same item is stored already, or this
   * queue message is rejected already); or the reason for which the database refuses it
   * (its key belongs to another item, a parent is unknown), which is then kept as a
   * rejection in the same transaction. Per refused entry: its reason, or `duplicate` when
   * this queue message already has its rejection (a redelivery), or its item is stored. A
   * key may stand in a batch several times: the database decides which entry is stored,
   * as if they had come one after the other.
   */
  prepare(batch: readonly Entry<Item, Refused>[]): Promise<Prepared>
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
