/**
 * Records the outcomes of attempts, those of all lanes together: one statement for all
 * that have ended since the last one.
 *
 * While the store does not answer, outcomes wait and are retried; there are at most as
 * many as attempts may be under way. A duty whose outcome is never recorded is attempted
 * again.
 *
 * Errors  none leave here; `onFault` is called for each failed attempt to record.
 */
import type { Clock } from '../lifecycle/clock.js'
import { delay } from '../lifecycle/interrupt.js'
import { backoffMs } from '../retry/backoff.js'
import type { DutyOutcome } from './dispatch.js'

export interface RecorderOptions<Result> {
  readonly settle: (outcomes: readonly DutyOutcome<Result>[]) => Promise<void>
  readonly clock: Clock
  readonly random: () => number
  readonly onFault: (error: unknown) => void
  readonly onRecorded: () => void
}

const MAX_OUTCOMES = 500
const RETRY = { baseMs: 50, maxMs: 2_000 }

interface WaitingOutcome<Result> {
  readonly outcome: DutyOutcome<Result>
  readonly resolve: (isRecorded: boolean) => void
}

export class Recorder<Result> {
  readonly #options: RecorderOptions<Result>
  readonly #waiting: WaitingOutcome<Result>[] = []
  #isRunning = false
  readonly #abandoned = new AbortController()

  constructor(options: RecorderOptions<Result>) {
    this.#options = options
  }

  /** Resolves once the outcome is in the store, or with false when it was given up. */
  record(outcome: DutyOutcome<Result>): Promise<boolean> {
    if (this.#abandoned.signal.aborted) return Promise.resolve(false)
    return new Promise(resolve => {
      this.#waiting.push({ outcome, resolve })
      if (!this.#isRunning) void this.#run()
    })
  }

  /**
   * Ends all attempts to record, including one that waits: what is not recorded stays
   * due.
   */
  abandon(): void {
    this.#abandoned.abort()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    // Outcomes of the same turn of the event loop are recorded together.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_OUTCOMES)
      const isRecorded = await this.#settle(batch.map(({ outcome }) => outcome))
      for (const { resolve } of batch) resolve(isRecorded)
    }
    this.#isRunning = false
  }

  async #settle(outcomes: readonly DutyOutcome<Result>[]): Promise<boolean> {
    const { settle, clock, random, onFault, onRecorded } = this.#options
    const { signal } = this.#abandoned
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await settle(outcomes)
        onRecorded()
        return true
      } catch (error) {
        onFault(error)
        await delay(clock, backoffMs(attempt, RETRY, random), signal)
      }
    }
    return false
  }
}
