/**
 * Repeatable random numbers: the same seed gives the same ones. Each purpose has its own
 * stream, so that one part's draws do not change another's.
 *
 * Source  a 32-bit counter put through a multiply-and-xor mixer: a few nanoseconds per
 *         draw, and good enough to spread faults.
 */
export class Dice {
  #state: number

  constructor(seed: number, purpose: string) {
    let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b)
    for (let at = 0; at < purpose.length; at++)
      state = Math.imul(state ^ purpose.charCodeAt(at), 0x01000193)
    this.#state = state
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 0x1_0000_0000
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  between(least: number, most: number): number {
    return least + (most - least) * this.next()
  }

  /** Evenly distributed over the orders of magnitude between the two. */
  scale(least: number, most: number): number {
    return least * (most / least) ** this.next()
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly [T, ...T[]] | readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  shuffle<T>(list: T[]): T[] {
    for (let last = list.length - 1; last > 0; last--) {
      const other = this.below(last + 1)
      const moved = list[last] as T
      list[last] = list[other] as T
      list[other] = moved
    }
    return list
  }
}
