/**
 * A running subject, as the bench sees it: the processor or a baseline, each in a process
 * of its own.
 */
import type { Histogram } from './histogram.js'

export interface Readings {
  /** Seconds from sent to committed; null while nothing is known. */
  readonly dwell: Histogram | null
  /** Rows per commit, and seconds per commit; only of the processor. */
  readonly batchRows: Histogram | null
  readonly commitSeconds: Histogram | null
  /** The longest stall of an event loop within the last second; only of the processor. */
  readonly lagSeconds: number | null
}

export interface MeasuredSubject {
  readonly pid: number
  /**
   * Events that it has done with, where it says so itself; null where the queue must
   * tell.
   */
  settled(): Promise<number | null>
  readings(): Promise<Readings>
  /**
   * Rejects, with the reason, as soon as the subject fails or ends by itself; never
   * resolves.
   */
  readonly failure: Promise<never>
  /** Ends it; resolves when it is gone. */
  stop(): Promise<void>
}

const STOP_MS = 30_000

/** Resolves when the child is gone, after SIGKILL if it must be. */
export function killAfter(kill: () => void, exited: Promise<unknown>): Promise<void> {
  const timer = setTimeout(kill, STOP_MS)
  return exited.then(() => clearTimeout(timer))
}

/** The subject once it receives; one that fails before that is ended first. */
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
