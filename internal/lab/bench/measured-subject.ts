/**
 * A running subject, as the bench sees it: the processor or a baseline, each in a process
 * of its own.
 */
import type { Histogram } from './histogram.js'

export interface Readings {
  /** Seconds from sent to committed; null while nothing is known. */
  readonly dwell: Histogram | null
  /** Rows per commit, and seconds per commit; the processor's only. */
  readonly batchRows: Histogram | null
  readonly commitSeconds: Histogram | null
  /** The longest stall of an event loop within the last second; the processor's only. */
  readonly lagSeconds: number | null
}

export interface MeasuredSubject {
  readonly pid: number
  /** Events settled so far, by its own count; null if the queue must be asked. */
  settled(): Promise<number | null>
  readings(): Promise<Readings>
  /**
   * Rejects, with the reason, as soon as the subject fails or ends by itself; never
   * resolves.
   */
  readonly failure: Promise<never>
  /** Stops it; resolves when it is gone. */
  stop(): Promise<void>
}

const STOP_MS = 30_000

/** Resolves when the child is gone; kills it after STOP_MS. */
export function killAfter(kill: () => void, exited: Promise<unknown>): Promise<void> {
  const timer = setTimeout(kill, STOP_MS)
  return exited.then(() => clearTimeout(timer))
}

/** Resolves once the subject receives; stops it if it fails before that. */
export async function onceReceiving<Subject extends MeasuredSubject>(
  subject: Subject,
  receiving: Promise<unknown>
): Promise<Subject> {
  try {
    await Promise.race([receiving, subject.failure])
    return subject
  } catch (error) {
    await subject.stop()
    throw error
  }
}
