/**
 * How long to wait before the next attempt: exponential with equal jitter.
 *
 * One half of the delay is fixed, so that a retry never becomes a hot loop. The other
 * half is random, so that the many callers that one outage stopped do not come back in
 * step.
 *
 * Shapes  the number of failed attempts so far (from 1) in, a delay out; no clock, no
 *         timer.
 * Units   milliseconds.
 */
export interface BackoffLimits {
  /** The longest delay after the first failed attempt. */
  readonly baseMs: number
  /** The longest delay of all. */
  readonly maxMs: number
}

/**
 * Beyond this exponent every sensible base has reached its maximum; the power must not
 * overflow on attempt 2000 of a long outage.
 */
const MAX_EXPONENT = 30

/**
 * The delay after `attempt` failed attempts: between half and all of `min(maxMs, baseMs *
 * 2^(attempt - 1))`. `random` is in [0, 1).
 */
export function backoffMs(attempt: number, limits: BackoffLimits, random: () => number): number {
  const exponent = Math.min(Math.max(attempt - 1, 0), MAX_EXPONENT)
  const longestMs = Math.min(limits.maxMs, limits.baseMs * 2 ** exponent)
  return longestMs / 2 + (longestMs / 2) * random()
}
