/**
 * Group commit: forms batches while others are being written, and retries each batch
 * until every entry has its disposition.
 *
 * One batch is under way at a time (commit-lane.ts). While one line floods the others
 * (flood.ts), there are two: entries of the other lines take an express lane, and wait
 * neither for the large batch under way nor for its linger. A line keeps its order of
 * arrival, except when it changes lanes. StoreError.fault decides what happens to a
 * failed batch:
 *   transient, schema   the gate closes for the database, and the same batch is tried
 *                       again until the database answers
 *   data                the batch is halved until the row that cannot be stored stands
 *                       alone; that row is refused
 * A batch that hits the statement timeout twice is too large for a slow server: it is
 * halved too, but no row is refused. When the answer to COMMIT is lost, the server is
 * asked what became of the transaction before anything is repeated, so that a stored row
 * is never counted as a duplicate.
 *
 * Units   milliseconds.
 * Errors  none leave here; a row that cannot be written even as a rejection goes to
 *         `onUnwritable`.
 */

import type { Clock } from '../lifecycle/clock.js'
import { delay } from '../lifecycle/interrupt.js'
import type { Disposition, Entry, ReceivedMessage, Rejection } from '../message/message.js'
import { backoffMs } from '../retry/backoff.js'
import type { BatchLimits, FlushCause } from './batch.js'
import { CommitLane } from './commit-lane.js'
import { Flood } from './flood.js'
import type { Gate } from './gate.js'
import type { IntakeObserver } from './observer.js'
import { type Prepared, type Store, StoreError } from './store.js'
import type { Turns } from './turns.js'

/**
 * Learns of each transaction before and after its fate is decided, so that counters
 * survive a crash in between.
 */
export interface CommitJournal<Item, Refused extends Rejection = Rejection> {
  /** Resolves when the note has left this process. */
  committing(
    tx: string,
    dispositions: readonly Disposition[],
    entries: readonly Entry<Item, Refused>[]
  ): Promise<void>
  committed(tx: string): void
  rolledBack(tx: string): void
}

/** Makes the rejection for an item that the database cannot hold. */
export type Refuse<Item, Refused extends Rejection = Rejection> = (
  item: Item,
  fault: StoreError
) => Refused

export interface CommitterOptions<Item, Refused extends Rejection = Rejection> {
  readonly store: Store<Item, Refused>
  readonly refuse: Refuse<Item, Refused>
  readonly turns: Turns<Item, Refused>
  readonly clock: Clock
  readonly random: () => number
  readonly limits: BatchLimits
  readonly journal: CommitJournal<Item, Refused>
  /** Closed while the database fails; no batch lingers while it is closed. */
  readonly gate: Pick<Gate, 'isOpen' | 'set'>
  readonly observer: Pick<
    IntakeObserver<Item, Refused>,
    'committed' | 'storeFailed' | 'storeRecovered'
  >
  /** The rows of these entries are visible to every session. */
  readonly onCommitted: (entries: readonly Entry<Item, Refused>[]) => void
  /**
   * A message that the database refuses even as a rejection: it stays in the queue and
   * ends in the dead-letter queue.
   */
  readonly onUnwritable: (message: ReceivedMessage, error: StoreError) => void
}

/** Short enough for work to resume within seconds of the database's return. */
const RETRY = { baseMs: 50, maxMs: 2_000 }
/** SQLSTATE query_canceled. */
const STATEMENT_TIMEOUT = '57014'
/**
 * About one full receive of SQS: a line that fills whole receives may have more to come.
 */
const FLOOD_MESSAGES = 10

export class Committer<Item, Refused extends Rejection = Rejection> {
  readonly #options: CommitterOptions<Item, Refused>
  readonly #flood: Flood<Item, Refused>
  readonly #main: CommitLane<Item, Refused>
  /** For the other lines while one line floods them. */
  readonly #express: CommitLane<Item, Refused>
  /** True from a database fault until the database answers again, whatever the answer. */
  #isDown = false
  readonly #abandoned = new AbortController()

  constructor(options: CommitterOptions<Item, Refused>) {
    this.#options = options
    const { clock, limits, turns, gate } = options
    const isReceiving = (): boolean => gate.isOpen
    const shared = { clock, limits, turns, isReceiving, write: this.#write.bind(this) }
    this.#flood = new Flood(turns.lineOf, FLOOD_MESSAGES)
    this.#main = new CommitLane({ ...shared, onTake: backlog => this.#flood.observe(backlog) })
    this.#express = new CommitLane({
      ...shared,
      onTake: backlog => this.#flood.observeOthers(backlog)
    })
  }

  add(entries: Iterable<Entry<Item, Refused>>): void {
    for (const entry of entries) this.#laneOf(entry).add(entry)
    this.#express.start()
    this.#main.start()
  }

  /** Ends the linger: nothing more can come. */
  flush(): void {
    this.#main.flush()
    this.#express.flush()
  }

  /** Resolves when everything added has its disposition. From now on no batch lingers. */
  async drain(): Promise<void> {
    await Promise.all([this.#main.drain(), this.#express.drain()])
  }

  /** Ends all attempts: entries without a disposition are left to the queue. */
  abandon(): void {
    this.#abandoned.abort()
    this.#main.abandon()
    this.#express.abandon()
  }

  #laneOf(entry: Entry<Item, Refused>): CommitLane<Item, Refused> {
    return this.#flood.isBystander(entry) ? this.#express : this.#main
  }

  async #write(entries: readonly Entry<Item, Refused>[], cause: FlushCause): Promise<void> {
    const { clock, observer, onCommitted, random } = this.#options
    const startedMs = clock.monotonicMs()
    for (let attempt = 1; !this.#abandoned.signal.aborted; attempt++) {
      const result = await this.#attempt(entries)
      if (!(result instanceof StoreError)) {
        this.#recovered()
        observer.committed(entries, result, cause, clock.monotonicMs() - startedMs)
        onCommitted(entries)
        return
      }
      if (result.fault === 'data') {
        this.#recovered()
        return this.#isolate(entries, cause, result)
      }
      this.#failed(result, attempt)
      if (result.code === STATEMENT_TIMEOUT && attempt > 1 && entries.length > 1)
        return this.#halve(entries, cause)
      await delay(clock, backoffMs(attempt, RETRY, random), this.#abandoned.signal)
    }
  }

  async #attempt(
    entries: readonly Entry<Item, Refused>[]
  ): Promise<readonly Disposition[] | StoreError> {
    const { store, journal } = this.#options
    let prepared: Prepared
    try {
      prepared = await store.prepare(entries)
    } catch (error) {
      return asStoreError(error)
    }
    const { tx, dispositions } = prepared
    try {
      await journal.committing(tx, dispositions, entries)
    } catch (error) {
      await prepared.rollBack()
      journal.rolledBack(tx)
      return asStoreError(error)
    }
    try {
      await prepared.commit()
    } catch (error) {
      const failure = asStoreError(error)
      const tookEffect = await this.#tookEffect(tx, failure)
      if (tookEffect === false) journal.rolledBack(tx)
      if (tookEffect !== true) return failure
    }
    journal.committed(tx)
    return dispositions
  }

  /**
   * Whether a transaction whose answer was lost has committed; asks until the database
   * can say. Null when abandoned before that.
   */
  async #tookEffect(tx: string, failure: StoreError): Promise<boolean | null> {
    const { clock, random, store } = this.#options
    for (let attempt = 1; !this.#abandoned.signal.aborted; attempt++) {
      try {
        const tookEffect = await store.wasCommitted(tx)
        this.#recovered()
        return tookEffect
      } catch (error) {
        this.#failed(attempt === 1 ? failure : asStoreError(error), attempt)
        await delay(clock, backoffMs(attempt, RETRY, random), this.#abandoned.signal)
      }
    }
    return null
  }

  /**
   * Halves a batch with an unstorable row, so that its batch-mates are stored without it.
   */
  async #isolate(
    entries: readonly Entry<Item, Refused>[],
    cause: FlushCause,
    error: StoreError
  ): Promise<void> {
    const [only] = entries
    if (entries.length > 1) return this.#halve(entries, cause)
    if (only === undefined) return
    const { refuse, onUnwritable } = this.#options
    const { message, verdict } = only
    if (verdict.kind === 'rejected') {
      onUnwritable(message, error)
      return
    }
    const rejection = refuse(verdict.item, error)
    return this.#write([{ message, verdict: { kind: 'rejected', rejection } }], cause)
  }

  async #halve(entries: readonly Entry<Item, Refused>[], cause: FlushCause): Promise<void> {
    const half = entries.length >> 1
    await this.#write(entries.slice(0, half), cause)
    return this.#write(entries.slice(half), cause)
  }

  #failed(error: StoreError, attempt: number): void {
    this.#isDown = true
    this.#options.gate.set('database', true)
    this.#options.observer.storeFailed(error, attempt)
  }

  #recovered(): void {
    if (!this.#isDown) return
    this.#isDown = false
    this.#options.gate.set('database', false)
    this.#options.observer.storeRecovered()
  }
}

/**
 * Any other error is a bug in an adapter. It is treated like an outage, so that nothing
 * is lost until the bug is fixed.
 */
function asStoreError(error: unknown): StoreError {
  return error instanceof StoreError
    ? error
    : new StoreError('transient', 'unexpected', String(error), error)
}
