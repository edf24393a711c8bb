/**
 * Looks at what must hold at every moment, as far as it can be seen from outside:
 * counters never go backwards (I8) and never count more than there are rows, committed
 * rows never vanish (I1), work in flight is bounded (I9).
 *
 * That an event has one row (I3) the primary key sees to; that its row is there at its
 * delete (I5), delete-check.ts.
 */
import {
  largestSample,
  type Sample,
  seriesOf,
  sumOfSamples
} from '../../engine/observe/prometheus-text.js'
import type { RowCounts } from './database.js'

const COUNTER = /^event_process_\w+_total$/
const STORED = 'event_process_stored_total'
const REJECTED = 'event_process_rejected_total'

export class AlwaysChecks {
  readonly #maxInFlight: number
  readonly #onViolation: (text: string) => void
  #life = -1
  /** By series. */
  #counters: ReadonlyMap<string, number> = new Map()
  #base: RowCounts = { stored: 0, rejected: 0 }
  #rows: RowCounts = { stored: 0, rejected: 0 }
  looks = 0

  constructor(maxInFlight: number, onViolation: (text: string) => void) {
    this.#maxInFlight = maxInFlight
    this.#onViolation = onViolation
  }

  /**
   * The next life of the primary begins, when the tables hold `base` and nobody adds to
   * them.
   */
  begin(life: number, base: RowCounts): void {
    this.rows(base)
    this.#life = life
    this.#base = base
    this.#counters = new Map()
  }

  /**
   * What `/metrics` says, and the rows as they were counted after that; null when they
   * could not be.
   */
  look(life: number, samples: readonly Sample[], rows: RowCounts | null): void {
    if (life !== this.#life) return
    this.looks += 1
    const counters = new Map(
      samples
        .filter(({ name }) => COUNTER.test(name))
        .map(sample => [seriesOf(sample), sample.value])
    )
    for (const [name, before] of this.#counters) {
      const now = counters.get(name) ?? 0
      if (now < before) this.#onViolation(`${name} went back from ${before} to ${now}`)
    }
    this.#counters = counters
    const inFlight = largestSample(samples, 'event_process_in_flight') ?? 0
    if (inFlight > this.#maxInFlight)
      this.#onViolation(`${inFlight} messages in flight, ${this.#maxInFlight} allowed`)
    if (rows === null) return
    this.rows(rows)
    const { stored, rejected } = this.totals(samples)
    if (stored > rows.stored)
      this.#onViolation(`the counters tell of ${stored} stored events, there are ${rows.stored}`)
    if (rejected > rows.rejected)
      this.#onViolation(
        `the counters tell of ${rejected} rejected events, there are ${rows.rejected}`
      )
  }

  rows(now: RowCounts): void {
    for (const table of ['stored', 'rejected'] as const) {
      if (now[table] < this.#rows[table])
        this.#onViolation(`rows vanished: ${this.#rows[table]} ${table} before, ${now[table]} now`)
    }
    this.#rows = now
  }

  /**
   * Totals over all lives, for the comparison at the end: what was there before this one
   * counts as told.
   */
  totals(samples: readonly Sample[]): RowCounts {
    return {
      stored: this.#base.stored + sumOfSamples(samples, STORED),
      rejected: this.#base.rejected + sumOfSamples(samples, REJECTED)
    }
  }
}
