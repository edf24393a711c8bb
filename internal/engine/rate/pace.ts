/**
 * Keeps the attempts of one lane to its rate: each waits for its turn, and a second's
 * worth may go at once.
 */
import type { Clock } from '../lifecycle/clock.js'
import { delay } from '../lifecycle/interrupt.js'
import { TokenBucket } from './token-bucket.js'

export class Pace {
  readonly #clock: Clock
  readonly #bucket: TokenBucket | null
  #ahead = 0

  constructor(maxPerSecond: number | null, clock: Clock) {
    this.#clock = clock
    this.#bucket = maxPerSecond === null ? null : new TokenBucket(maxPerSecond, clock.monotonicMs())
  }

  /** Resolves when it is the caller's turn, or when `signal` aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    if (this.#bucket === null) return
    const waitMs = this.#bucket.waitMs(this.#clock.monotonicMs(), this.#ahead)
    if (waitMs > 0) {
      this.#ahead += 1
      await delay(this.#clock, waitMs, signal)
      this.#ahead -= 1
    }
    this.#bucket.take(1)
  }
}
