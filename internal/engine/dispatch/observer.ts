/**
 * What the dispatcher reports about its work; a system turns it into metrics and log
 * records.
 */
import type { DutyOutcome } from './dispatch.js'

/**
 * The steps that the dispatcher repeats; each is tried again by itself after a failure.
 */
export type DispatchStep = 'wake-due' | 'claim' | 'renew' | 'lane' | 'record'

export interface DispatchObserver<Lane, Duty, Result> {
  attempted(lane: Lane, duty: Duty, outcome: DutyOutcome<Result>): void
  paused(lane: Lane, forMs: number): void
  disabled(lane: Lane, reason: string): void
  /** `step` is a DispatchStep or the name of a chore. */
  failed(step: string, error: unknown): void
  worked(step: string): void
}
