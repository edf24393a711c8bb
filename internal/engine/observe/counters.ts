/**
 * Counters: how a system defines them, and how a worker keeps its sums.
 *
 * A worker only adds; the primary owns the totals that people see (totals.ts). Keys of
 * the sums are `name` or `name/label value`.
 */
export interface CounterDefinition {
  readonly help: string
  readonly label?: string
  /**
   * The closed set of the label's values. Without it, the label has the values counted so
   * far, up to MAX_LABEL_VALUES.
   */
  readonly values?: readonly string[]
}

export type CounterDefinitions = Readonly<Record<string, CounterDefinition>>

/** Further values of a label without a closed set are counted together, as `other`. */
export const MAX_LABEL_VALUES = 50
export const OTHER_LABEL = 'other'

/** Sums by key; a plain object, because it travels between processes. */
export type Counts = Readonly<Record<string, number>>

export class CounterSums {
  readonly #counts: Record<string, number> = {}

  add(name: string, amount: number, label?: string): void {
    if (amount === 0) return
    const key = label === undefined ? name : `${name}/${label}`
    this.#counts[key] = (this.#counts[key] ?? 0) + amount
  }

  addAll(counts: Counts): void {
    for (const [key, amount] of Object.entries(counts))
      this.#counts[key] = (this.#counts[key] ?? 0) + amount
  }

  get counts(): Counts {
    return this.#counts
  }
}

/** Sums of these counters and no others. */
export interface SumsOf<Name extends string> extends CounterSums {
  add(name: Name, amount: number, label?: string): void
}
