/**
 * The measured part of a drain: from the moment when a share of the events is settled, so
 * that start and warm-up do not count, to the moment when all are.
 *
 * Units   milliseconds on one monotonic clock.
 * Errors  Stalled when nothing more is settled for STALL_MS: an event is lost or the
 *         subject hangs.
 */
export const WARM_UP_SHARE = 0.25
export const STALL_MS = 30_000

export class Stalled extends Error {
  override readonly name = 'Stalled'
}

export type Moment = 'before' | 'begin' | 'within' | 'end'

export class Window {
  readonly #events: number
  readonly #warmUpEvents: number
  #hasBegun = false
  #settled = -1
  #movedAtMs = 0

  constructor(events: number, warmUpShare = WARM_UP_SHARE) {
    this.#events = events
    this.#warmUpEvents = events * warmUpShare
  }

  /**
   * Takes how many events are settled by now; `begin` and `end` come once each, and
   * `begin` first.
   */
  look(settled: number, nowMs: number): Moment {
    if (settled > this.#settled) {
      this.#settled = settled
      this.#movedAtMs = nowMs
    } else if (nowMs - this.#movedAtMs > STALL_MS) {
      throw new Stalled(
        `${this.#events - settled} of ${this.#events} events were not settled; no progress for ${STALL_MS / 1_000} s`
      )
    }
    if (this.#hasBegun) return settled >= this.#events ? 'end' : 'within'
    this.#hasBegun = settled >= this.#warmUpEvents
    return this.#hasBegun ? 'begin' : 'before'
  }
}
