/**
 * A Clock that stands still until a test moves it.
 *
 * Shapes  `monotonicMs` counts from 0 and `epochMs` from `startMs`, so that code which
 *         takes one for the other shows. Timers run in order of their due time, equal
 *         ones in the order in which they were set; what a timer sets, runs too if due.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../engine/lifecycle/clock.js'

export interface ManualClock extends Clock {
  /**
   * Moves time on and runs all timers that fall due, one after the other, without letting
   * promises run in between.
   */
  advance(ms: number): void
  /**
   * The same, but before each timer and at the end promises (and I/O that is ready) get
   * their turn.
   */
  advanceAsync(ms: number): Promise<void>
  /** How many timers wait. */
  pending(): number
}

interface Timer {
  readonly dueMs: number
  readonly fn: () => void
}

/** Long enough for a chain of awaits that hops over a few turns of the event loop. */
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

/** Moves the clock on, a quarter of a second at a time, until the promise is settled. */
export async function advanceUntil<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  const state = { isSettled: false }
  const settled = promise.finally(() => (state.isSettled = true))
  while (!state.isSettled) await clock.advanceAsync(250)
  return settled
}
