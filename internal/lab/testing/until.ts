/**
 * Waits for a condition, for tests of things that happen over a network or in another
 * process.
 *
 * Errors  gives up after a limit (eight seconds unless told) and names what it waited
 *         for, rather than leaving it to the test runner's time limit.
 */
import { setTimeout as pause } from 'node:timers/promises'

const PAUSE_MS = 2
const LIMIT_MS = 8_000

export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  limitMs = LIMIT_MS
): Promise<void> {
  const endsAtMs = performance.now() + limitMs
  while (!(await isTrue())) {
    if (performance.now() > endsAtMs) throw new Error(`still waiting after ${limitMs} ms: ${what}`)
    await pause(PAUSE_MS)
  }
}
