/**
 * A rate with a burst of one second. An event passes while any tokens are left, and may
 * take more than are left. So even an event larger than a whole second's tokens passes,
 * once; what follows waits until the debt is worked off, and the long run keeps the rate.
 *
 * Units   tokens are events or bytes; monotonic milliseconds.
 */
export class TokenBucket {
  readonly perSecond: number
  #level: number
  #atMs: number

  constructor(perSecond: number, nowMs: number) {
    this.perSecond = perSecond
    this.#level = this.#burst
    this.#atMs = nowMs
  }

  get #burst(): number {
    return Math.max(1, this.perSecond)
  }

  /** How long until tokens are left, if `ahead` more are taken first. */
  waitMs(nowMs: number, ahead = 0): number {
    this.#refill(nowMs)
    const missing = ahead - this.#level
    return missing < 0 ? 0 : Math.max(1, Math.ceil((missing * 1_000) / this.perSecond))
  }

  /** Whether nothing is owed, as in a new bucket. */
  isFull(nowMs: number): boolean {
    this.#refill(nowMs)
    return this.#level === this.#burst
  }

  take(tokens: number): void {
    this.#level -= tokens
  }

  #refill(nowMs: number): void {
    this.#level = Math.min(
      this.#burst,
      this.#level + ((nowMs - this.#atMs) * this.perSecond) / 1_000
    )
    this.#atMs = nowMs
  }
}
