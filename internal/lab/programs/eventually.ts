/**
 * Looks at a condition until it holds: how long that took in milliseconds, or null when
 * it did not within `withinMs`.
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
