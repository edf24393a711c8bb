/**
 * When a failed delivery is tried again (pure).
 *
 * Shapes  the delays of the schedule in order; the first attempt is made at once, so n
 *         delays mean n + 1 attempts.
 * Units   milliseconds.
 * Source  Standard Webhooks: retries over some days, with jitter, so that deliveries that
 *         failed together do not come back together.
 */
export type RetrySchedule = readonly number[]

/** A delay is drawn between SHORTEST and SHORTEST + SPREAD times its step. */
const SHORTEST = 0.9
const SPREAD = 0.2

/**
 * How long after its failure the next attempt comes; null at the end of the schedule.
 * `failed` counts the failures of this schedule, including the latest. An endpoint may
 * ask for a longer wait.
 */
export function retryInMs(
  schedule: RetrySchedule,
  failed: number,
  notBeforeMs: number,
  random: () => number
): number | null {
  const step = schedule[failed - 1]
  return step === undefined ? null : Math.max(notBeforeMs, step * (SHORTEST + SPREAD * random()))
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000
}
const STEP = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

/** Reads delays such as `5s,5m,2h`; null when the text is not a schedule. */
export function parseSchedule(text: string): RetrySchedule | null {
  const delays: number[] = []
  for (const step of text.split(',')) {
    const [, count, unit] = STEP.exec(step.trim()) ?? []
    if (count === undefined || unit === undefined) return null
    delays.push(Number(count) * (UNIT_MS[unit] ?? 0))
  }
  return delays
}
