/**
 * The totals of all workers, dead ones included, as `/metrics` shows them. They never go
 * backwards.
 *
 * A worker that dies between announcing a transaction and reporting its outcome leaves
 * the question open; `retire` asks `tookEffect` and adds the answer.
 */
import { CounterSums, type Counts } from './counters.js'

interface WorkerSums {
  counts: Counts
  /** What each announced transaction adds if it commits. */
  readonly open: Map<string, Counts>
}

export class CounterTotals {
  readonly #retired = new CounterSums()
  readonly #workers = new Map<number, WorkerSums>()

  announced(workerId: number, tx: string, counts: Counts): void {
    this.#of(workerId).open.set(tx, counts)
  }

  decided(workerId: number, tx: string, counts: Counts): void {
    const sums = this.#of(workerId)
    sums.open.delete(tx)
    sums.counts = counts
  }

  /** Updates a worker's sums; what it has announced stays open. */
  reported(workerId: number, counts: Counts): void {
    this.#of(workerId).counts = counts
  }

  /**
   * Keeps a dead worker's sums. `tookEffect` says whether a transaction it left open has
   * committed.
   */
  async retire(workerId: number, tookEffect: (tx: string) => Promise<boolean>): Promise<void> {
    const sums = this.#workers.get(workerId)
    if (sums === undefined) return
    this.#workers.delete(workerId)
    this.#retired.addAll(sums.counts)
    for (const [tx, counts] of sums.open) if (await tookEffect(tx)) this.#retired.addAll(counts)
  }

  sum(key: string): number {
    let total = this.#retired.counts[key] ?? 0
    for (const { counts } of this.#workers.values()) total += counts[key] ?? 0
    return total
  }

  /**
   * The sums under `name` by label value, from `reported` and `decided` only: announced
   * transactions have closed labels.
   */
  sumsByLabel(name: string): ReadonlyMap<string, number> {
    const sums = new Map<string, number>()
    const prefix = `${name}/`
    for (const counts of [
      this.#retired.counts,
      ...Array.from(this.#workers.values(), worker => worker.counts)
    ]) {
      for (const [key, count] of Object.entries(counts)) {
        if (!key.startsWith(prefix)) continue
        const label = key.slice(prefix.length)
        sums.set(label, (sums.get(label) ?? 0) + count)
      }
    }
    return sums
  }

  #of(workerId: number): WorkerSums {
    let sums = this.#workers.get(workerId)
    if (sums === undefined) {
      sums = { counts: {}, open: new Map() }
      this.#workers.set(workerId, sums)
    }
    return sums
  }
}
