/**
 * Waits for a condition, for tests of things that happen over a network or in another
 * process.
 *
 * Errors  gives up after a limit (default: eight seconds) and names what it waited for,
 *         before the test runner's time limit strikes.
 */
import { setTimeout as pause } from 'node:timers/promises'

/**
 * The pause between two checks, as a share of the time waited so far: a twentieth.
 * Checking metrics or a database without pauses would cost more than the awaited work.
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
