/**
 * Decides what becomes of a duty, from the verdict of its attempt and the schedule
 * (pure).
 */
import { type RetrySchedule, retryInMs } from '../retry/schedule.js'
import type { DutyFate, DutyVerdict } from './dispatch.js'

/** `scheduled` counts the failures of this schedule before the attempt. */
export function fateOf(
  verdict: DutyVerdict,
  scheduled: number,
  schedule: RetrySchedule,
  random: () => number
): DutyFate {
  switch (verdict.kind) {
    case 'done':
      return { kind: 'done' }
    case 'give-up':
      return { kind: 'given-up' }
    case 'again':
      return { kind: 'again', inMs: verdict.afterMs }
    case 'retry': {
      const inMs = retryInMs(schedule, scheduled + 1, verdict.notBeforeMs, random)
      return inMs === null ? { kind: 'given-up' } : { kind: 'retry', inMs }
    }
  }
}
