/**
 * Waits for a condition, for tests of things that happen over a network or in another
 * process.
 *
 * Errors  gives up after a limit (eight seconds unless told) and names what it waited
 *         for, rather than leaving it to the test runner's time limit.
 */
import { setTimeout as pause } from 'node:timers/promises'

/**
 * Between two looks: a twentieth of the time waited so far. Looks at a program's metrics
 * or at a database cost more than the work that is waited for, if they never pause.
 */
const PAUSE_SHARE = 0.05
const MIN_PAUSE_MS = 2
const MAX_PAUSE_MS = 25
const LIMIT_MS = 8_000

export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  limitMs = LIMIT_MS
): Promise<void> {
  const startedMs = performance.now()
  while (!(await isTrue())) {
    const waitedMs = performance.now() - startedMs
    if (waitedMs > limitMs) throw new Error(`still waiting after ${limitMs} ms: ${what}`)
    await pause(Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, waitedMs * PAUSE_SHARE)))
  }
}
