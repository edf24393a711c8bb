/**
 * A Clock that stands still until a test moves it.
 *
 * `monotonicMs` counts from 0 and `epochMs` from `startMs`, which exposes code that
 * confuses the two. Timers run in order of their due time, equal ones in the order in
 * which they were set. Timers set by timers run too if due.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../engine/lifecycle/clock.js'

export interface ManualClock extends Clock {
  /**
   * Advances time and runs all timers that fall due, one after the other, without letting
   * promises run in between.
   */
  advance(ms: number): void
  /** The same, but promises (and ready I/O) run before each timer and at the end. */
  advanceAsync(ms: number): Promise<void>
  /** The number of waiting timers. */
  pending(): number
}

interface Timer {
  readonly dueMs: number
  readonly fn: () => void
}

/** Enough for a chain of awaits that spans a few turns of the event loop. */
const TURNS = 3

async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await nextTurn()
}

export function createManualClock(startMs = 1_700_000_000_000): ManualClock {
  let nowMs = 0
  const timers: Timer[] = []

  const takeDue = (untilMs: number): Timer | null => {
    const first = timers[0]
    if (first === undefined || first.dueMs > untilMs) return null
    timers.shift()
    nowMs = Math.max(nowMs, first.dueMs)
    return first
  }

  return {
    monotonicMs: () => nowMs,
    epochMs: () => startMs + nowMs,
    after(ms, fn) {
      const timer = { dueMs: nowMs + Math.max(0, ms), fn }
      const later = timers.findIndex(other => other.dueMs > timer.dueMs)
      timers.splice(later === -1 ? timers.length : later, 0, timer)
      return () => {
        const at = timers.indexOf(timer)
        if (at !== -1) timers.splice(at, 1)
      }
    },
    advance(ms) {
      const untilMs = nowMs + ms
      for (let timer = takeDue(untilMs); timer !== null; timer = takeDue(untilMs)) timer.fn()
      nowMs = untilMs
    },
    async advanceAsync(ms) {
      const untilMs = nowMs + ms
      await settle()
      for (let timer = takeDue(untilMs); timer !== null; timer = takeDue(untilMs)) {
        timer.fn()
        await settle()
      }
      nowMs = untilMs
    },
    pending: () => timers.length
  }
}

/** Advances the clock by a quarter of a second at a time until the promise is settled. */
export async function advanceUntil<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  const state = { isSettled: false }
  const settled = promise.finally(() => (state.isSettled = true))
  while (!state.isSettled) await clock.advanceAsync(250)
  return settled
}
