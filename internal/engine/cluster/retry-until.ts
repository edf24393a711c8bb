/**
 * Repeats a start-up step with backoff until it works: a dependency that is late must not
 * end the process.
 */

import { StoreError } from '../intake/store.js'
import type { Clock } from '../lifecycle/clock.js'
import { delay } from '../lifecycle/interrupt.js'
import { ExpectedError } from '../lifecycle/service.js'
import type { Log } from '../observe/log.js'
import { backoffMs } from '../retry/backoff.js'

export interface RetryOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly signal: AbortSignal
  readonly log: Log
}

const RETRY = { baseMs: 200, maxMs: 5_000 }

/**
 * The step's result; null when `signal` aborts first. An ExpectedError (wrong
 * configuration) is not repeated.
 */
export async function retryUntilDone<T>(
  what: string,
  step: () => Promise<T>,
  options: RetryOptions
): Promise<T | null> {
  const { clock, random, signal, log } = options
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      return await step()
    } catch (error) {
      if (error instanceof ExpectedError) throw error
      if (isRefused(error)) throw refused(error)
      const delayMs = backoffMs(attempt, RETRY, random)
      log.warn(
        {
          attempt,
          retryInMs: Math.round(delayMs),
          reason: error instanceof Error ? error.message : String(error)
        },
        `cannot ${what} yet`
      )
      await delay(clock, delayMs, signal)
    }
  }
  return null
}

/** Calls retryUntilDone with the same options each time. */
export type Retry = <T>(what: string, step: () => Promise<T>) => Promise<T | null>

export function createRetry(options: RetryOptions): Retry {
  return (what, step) => retryUntilDone(what, step, options)
}

/**
 * SQLSTATEs by which the server refuses the connection as configured, and what to
 * correct. Waiting does not help.
 */
const REFUSALS: Readonly<Record<string, string>> = {
  '28000': 'user or host',
  '28P01': 'user or password',
  '3D000': 'database'
}

function isRefused(error: unknown): error is StoreError {
  return error instanceof StoreError && error.code in REFUSALS
}

function refused(error: StoreError): ExpectedError {
  return new ExpectedError(
    `PostgreSQL refuses DB_CONNECTION: ${error.message}. Correct its ${REFUSALS[error.code] ?? 'values'}.`
  )
}
