/**
 * Group commit: forms batches while others are being written, and stays with each batch
 * until every entry has its disposition.
 *
 * One batch is under way at a time (commit-lane.ts). While one client floods the others
 * (flood.ts) there are two: what the others send goes by an express lane, and waits
 * neither for the large batch under way nor for company. The order within a client is
 * that of arrival, but for when it changes lanes. A failed batch is handled by the fault
 * (StoreError.fault):
 *   transient, schema   the database is closed at the gate, and the same batch is tried
 *                       again until it answers
 *   data                the batch is halved until the row that cannot be stored stands
 *                       alone; that one is refused as `unstorable`
 * A batch that runs into the statement timeout twice is too large for a slow server: it
 * is halved too, and nothing is refused. When the answer to COMMIT is lost, the server is
 * asked what became of the transaction before anything is repeated, so that a stored row
 * is never counted as a duplicate.
 *
 * Units   milliseconds.
 * Errors  none leave here; a row that not even as a rejection can be written is handed to
 *         `onUnwritable`.
 */

import type { Clock } from '../lifecycle/clock.js'
import type { Disposition, Entry, ValidEvent, Verdict } from '../message/message.js'
import { toStorable } from '../message/storable.js'
import { backoffMs } from '../retry/backoff.js'
import type { BatchLimits, FlushCause } from './batch.js'
import { CommitLane } from './commit-lane.js'
import { Flood } from './flood.js'
import { type PreparedCommit, type Store, StoreError } from './store.js'

/**
 * Hears of each transaction before and after its fate is decided, so that counters
 * survive a crash in between.
 */
export interface CommitJournal {
  /** Resolves when the note is out of this process's hands. */
  committing(
    tx: string,
    dispositions: readonly Disposition[],
    entries: readonly Entry[]
  ): Promise<void>
  committed(tx: string): void
  rolledBack(tx: string): void
}

export interface CommitterOptions {
  readonly store: Store
  readonly clock: Clock
  readonly random: () => number
  readonly limits: BatchLimits
  /** How large a client's turn is, next to others'. */
  readonly weightOf: (client: string) => number
  readonly journal: CommitJournal
  /**
   * Whether more messages may come while a batch waits for company; when that ends,
   * `hurry` is called.
   */
  readonly isReceiving: () => boolean
  /**
   * A transaction has committed: its entries with what became of each, in order. `tookMs`
   * counts from the first attempt.
   */
  readonly onCommitted: (
    entries: readonly Entry[],
    dispositions: readonly Disposition[],
    cause: FlushCause,
    tookMs: number
  ) => void
  /**
   * A message that the database refuses even as a rejection: it stays in the queue and
   * ends in the dead-letter queue.
   */
  readonly onUnwritable: (entry: Entry, error: StoreError) => void
  /** The database fails (again) or is back. */
  readonly onFault: (error: StoreError, attempt: number) => void
  readonly onRecovered: () => void
}

/** Short enough that work goes on within seconds of the database's return. */
const RETRY = { baseMs: 50, maxMs: 2_000 }
/** SQLSTATE query_canceled. */
const STATEMENT_TIMEOUT = '57014'
const MAX_REASON_CHARS = 500
/**
 * About one full receive of SQS: a client whose receives come back full may have more
 * where that came from.
 */
const FLOOD_MESSAGES = 10

export class Committer {
  readonly #options: CommitterOptions
  readonly #flood: Flood
  readonly #main: CommitLane
  /** For the others while one client floods them. */
  readonly #express: CommitLane
  /**
   * From a fault of the database until it answers again, whatever the answer is about.
   */
  #isDown = false
  #isAbandoned = false
  readonly #delays = new Set<() => void>()

  constructor(options: CommitterOptions) {
    this.#options = options
    const { clock, limits, weightOf, isReceiving } = options
    this.#flood = new Flood(FLOOD_MESSAGES)
    const shared = { clock, limits, weightOf, isReceiving, write: this.#write.bind(this) }
    this.#main = new CommitLane({ ...shared, onTake: backlog => this.#flood.look(backlog) })
    this.#express = new CommitLane({
      ...shared,
      onTake: backlog => this.#flood.lookBeside(backlog)
    })
  }

  add(entries: Iterable<Entry>): void {
    for (const entry of entries) this.#laneOf(entry).add(entry)
    this.#express.go()
    this.#main.go()
  }

  /** Ends a wait for company: nothing more can come. */
  hurry(): void {
    this.#main.hurry()
    this.#express.hurry()
  }

  /**
   * Resolves when all that was added has its disposition. From now on nothing waits for
   * company.
   */
  async drain(): Promise<void> {
    await Promise.all([this.#main.drain(), this.#express.drain()])
  }

  /** Ends all attempts: what has no disposition yet is left to the queue. */
  abandon(): void {
    this.#isAbandoned = true
    this.#main.abandon()
    this.#express.abandon()
    for (const end of this.#delays) end()
  }

  #laneOf(entry: Entry): CommitLane {
    return this.#flood.isBeside(entry) ? this.#express : this.#main
  }

  async #write(entries: readonly Entry[], cause: FlushCause): Promise<void> {
    const startedMs = this.#options.clock.monotonicMs()
    for (let attempt = 1; !this.#isAbandoned; attempt++) {
      const result = await this.#attempt(entries)
      if (!(result instanceof StoreError)) {
        this.#recovered()
        this.#options.onCommitted(
          entries,
          result,
          cause,
          this.#options.clock.monotonicMs() - startedMs
        )
        return
      }
      if (result.fault === 'data') {
        this.#recovered()
        return this.#isolate(entries, cause, result)
      }
      this.#failed(result, attempt)
      if (result.code === STATEMENT_TIMEOUT && attempt > 1 && entries.length > 1)
        return this.#halve(entries, cause)
      await this.#delay(backoffMs(attempt, RETRY, this.#options.random))
    }
  }

  async #attempt(entries: readonly Entry[]): Promise<readonly Disposition[] | StoreError> {
    const { store, journal } = this.#options
    let prepared: PreparedCommit | null = null
    try {
      const dispositions = await store.insert(entries, async about => {
        prepared = about
        await journal.committing(about.tx, about.dispositions, entries)
      })
      // The callback ran, or insert would have rejected; the compiler cannot see
      // assignments made inside it.
      const { tx } = prepared as unknown as PreparedCommit
      journal.committed(tx)
      return dispositions
    } catch (error) {
      const failure = asStoreError(error)
      const unclear = prepared as PreparedCommit | null
      if (unclear === null) return failure
      const tookEffect = await this.#tookEffect(unclear.tx, failure)
      if (tookEffect === null) return failure
      if (!tookEffect) {
        journal.rolledBack(unclear.tx)
        return failure
      }
      journal.committed(unclear.tx)
      return unclear.dispositions
    }
  }

  /**
   * Whether a transaction with a lost answer has committed; asks until the database can
   * say. Null when abandoned before that.
   */
  async #tookEffect(tx: string, failure: StoreError): Promise<boolean | null> {
    for (let attempt = 1; !this.#isAbandoned; attempt++) {
      try {
        const tookEffect = await this.#options.store.wasCommitted(tx)
        this.#recovered()
        return tookEffect
      } catch (error) {
        this.#failed(attempt === 1 ? failure : asStoreError(error), attempt)
        await this.#delay(backoffMs(attempt, RETRY, this.#options.random))
      }
    }
    return null
  }

  /**
   * Halves a batch with a row that cannot be stored, so that its batch-mates are stored
   * without it.
   */
  async #isolate(entries: readonly Entry[], cause: FlushCause, error: StoreError): Promise<void> {
    const [only] = entries
    if (entries.length > 1) return this.#halve(entries, cause)
    if (only === undefined) return
    if (only.verdict.kind === 'rejected') {
      this.#options.onUnwritable(only, error)
      return
    }
    return this.#write(
      [{ message: only.message, verdict: unstorable(only.verdict.event, error) }],
      cause
    )
  }

  async #halve(entries: readonly Entry[], cause: FlushCause): Promise<void> {
    const half = entries.length >> 1
    await this.#write(entries.slice(0, half), cause)
    return this.#write(entries.slice(half), cause)
  }

  #failed(error: StoreError, attempt: number): void {
    this.#isDown = true
    this.#options.onFault(error, attempt)
  }

  #recovered(): void {
    if (!this.#isDown) return
    this.#isDown = false
    this.#options.onRecovered()
  }

  #delay(ms: number): Promise<void> {
    if (this.#isAbandoned) return Promise.resolve()
    return new Promise(resolve => {
      const done = (): void => {
        cancel()
        this.#delays.delete(done)
        resolve()
      }
      const cancel = this.#options.clock.after(ms, done)
      this.#delays.add(done)
    })
  }
}

/**
 * What is not a StoreError is a bug in an adapter: treated like an outage, so that
 * nothing is lost while it is being found.
 */
function asStoreError(error: unknown): StoreError {
  return error instanceof StoreError
    ? error
    : new StoreError('transient', 'unexpected', String(error), error)
}

function unstorable(event: ValidEvent, error: StoreError): Verdict {
  // A trigger's own words may quote the whole row; the body is kept anyway.
  const message = toStorable(
    `PostgreSQL cannot hold this event (SQLSTATE ${error.code}): ${error.message}`,
    MAX_REASON_CHARS
  )
  return {
    kind: 'rejected',
    rejection: {
      reason: 'unstorable',
      violations: [{ pointer: '', keyword: 'storable', message }],
      ...event
    }
  }
}
