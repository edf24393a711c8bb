/**
 * Time as a parameter: the engine reads and waits through a Clock, so that tests step it
 * by hand.
 *
 * Units   milliseconds. `monotonicMs` measures spans and never jumps; `epochMs` is
 *         wall-clock time since 1970 and may.
 */
export interface Clock {
  monotonicMs(): number
  epochMs(): number
  /** Calls `fn` once after `ms`; the returned function cancels. */
  after(ms: number, fn: () => void): () => void
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  epochMs: () => Date.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms)
    return () => clearTimeout(timer)
  }
}
