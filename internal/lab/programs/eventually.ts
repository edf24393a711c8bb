/**
 * Checks a condition until it holds. Resolves with the milliseconds that took, or with
 * null if it does not hold within `withinMs`.
 */
import { setTimeout as delay } from 'node:timers/promises'

const LOOK_EVERY_MS = 20

export async function eventually(
  isTrue: () => boolean | Promise<boolean>,
  withinMs: number,
  everyMs = LOOK_EVERY_MS
): Promise<number | null> {
  const startedMs = performance.now()
  for (;;) {
    if (await isTrue()) return performance.now() - startedMs
    if (performance.now() - startedMs > withinMs) return null
    await delay(everyMs)
  }
}
