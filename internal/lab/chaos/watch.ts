/**
 * Checks what must always hold and can be seen from outside: counters never decrease and
 * never exceed the rows (I8), committed rows never vanish (I1), work in flight is bounded
 * (I9). The primary key ensures one row per event (I3); delete-check.ts checks that the
 * row exists at the delete (I5).
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
   * Begins the next life of the primary. The tables hold `base`, and nothing is being
   * added.
   */
  begin(life: number, base: RowCounts): void {
    this.rows(base)
    this.#life = life
    this.#base = base
    this.#counters = new Map()
  }

  /**
   * Takes one reading of `/metrics` and the rows counted after it; null when counting
   * failed.
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
      if (now < before) this.#onViolation(`${name} decreased from ${before} to ${now}`)
    }
    this.#counters = counters
    const inFlight = largestSample(samples, 'event_process_in_flight') ?? 0
    if (inFlight > this.#maxInFlight)
      this.#onViolation(`${inFlight} messages in flight, ${this.#maxInFlight} allowed`)
    if (rows === null) return
    this.rows(rows)
    const { stored, rejected } = this.totals(samples)
    if (stored > rows.stored)
      this.#onViolation(`the counters say ${stored} stored events, there are ${rows.stored} rows`)
    if (rejected > rows.rejected)
      this.#onViolation(
        `the counters say ${rejected} rejected events, there are ${rows.rejected} rows`
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
   * Totals over all lives, for the final comparison. Rows from before this life count as
   * reported.
   */
  totals(samples: readonly Sample[]): RowCounts {
    return {
      stored: this.#base.stored + sumOfSamples(samples, STORED),
      rejected: this.#base.rejected + sumOfSamples(samples, REJECTED)
    }
  }
}
