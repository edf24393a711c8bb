/**
 * The primary's side of its workers' intakes: adds up what they announce and decide, and
 * remembers which message a worker was examining when it died.
 *
 * A worker announces each transaction before its COMMIT. If it dies before it can report
 * the outcome, the primary asks the database, so the totals equal the tables even after a
 * kill -9.
 */

import type { Counts } from '../observe/counters.js'
import type { Log } from '../observe/log.js'
import type { CounterTotals } from '../observe/totals.js'
import { Deaths, type SuspectDeaths } from './deaths.js'
import type { WorkerProcess } from './supervisor.js'

/** What a worker with an intake tells its primary, apart from its reports. */
export type IntakeWord =
  /** A transaction is about to commit; `counts` is what it adds if it does. */
  | { readonly kind: 'committing'; readonly tx: string; readonly counts: Counts }
  /**
   * The outcome of an announced transaction; `counts` are the worker's sums including it.
   */
  | { readonly kind: 'decided'; readonly tx: string; readonly counts: Counts }
  /**
   * From now on this message is examined alone, because it was received often without an
   * outcome; null: none is.
   */
  | { readonly kind: 'examining'; readonly messageId: string | null }

/** From the primary: how many workers have died while examining this message. */
export type DeathWord = { readonly kind: 'death' } & SuspectDeaths

export interface IntakeWatchOptions {
  readonly totals: CounterTotals
  readonly log: Log
  readonly tell: (word: DeathWord) => void
}

export class IntakeWatch {
  readonly #options: IntakeWatchOptions
  readonly #deaths = new Deaths()

  constructor(options: IntakeWatchOptions) {
    this.#options = options
  }

  /** What a worker is told at its start. */
  get greeting(): readonly DeathWord[] {
    return this.#deaths.all.map(toWord)
  }

  hear(workerId: number, word: IntakeWord): void {
    const { totals } = this.#options
    switch (word.kind) {
      case 'committing':
        return totals.announced(workerId, word.tx, word.counts)
      case 'decided':
        return totals.decided(workerId, word.tx, word.counts)
      case 'examining':
        return this.#deaths.examining(workerId, word.messageId)
    }
  }

  /** Tells the other workers about the message that this one was examining, if any. */
  exited({ id, pid }: Pick<WorkerProcess<never, never>, 'id' | 'pid'>): void {
    const death = this.#deaths.died(id)
    if (death === null) return
    const { log, tell } = this.#options
    log.error({ ...death, worker: pid }, 'a worker died while examining this message alone')
    tell(toWord(death))
  }
}

function toWord(death: SuspectDeaths): DeathWord {
  return { kind: 'death', ...death }
}
