/**
 * Keeps the attempts at one endpoint to its rate: each waits for its turn, a second's
 * worth may go at once.
 */
import type { Clock } from '../lifecycle/clock.js'
import { TokenBucket } from './token-bucket.js'

export class Pace {
  readonly #clock: Clock
  readonly #bucket: TokenBucket | null
  #ahead = 0
  readonly #waiting = new Set<() => void>()

  constructor(maxPerSecond: number | null, clock: Clock) {
    this.#clock = clock
    this.#bucket = maxPerSecond === null ? null : new TokenBucket(maxPerSecond, clock.monotonicMs())
  }

  async wait(): Promise<void> {
    if (this.#bucket === null) return
    const waitMs = this.#bucket.waitMs(this.#clock.monotonicMs(), this.#ahead)
    if (waitMs > 0) {
      this.#ahead += 1
      await new Promise<void>(resolve => {
        const done = (): void => {
          cancel()
          this.#waiting.delete(done)
          resolve()
        }
        const cancel = this.#clock.after(waitMs, done)
        this.#waiting.add(done)
      })
      this.#ahead -= 1
    }
    this.#bucket.take(1)
  }

  /** Ends all waits: nothing further will be sent. */
  hurry(): void {
    for (const done of this.#waiting) done()
  }
}
