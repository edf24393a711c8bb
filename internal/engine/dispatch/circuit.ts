/**
 * The circuit breaker of one lane, for as long as a process works for it.
 *
 * It opens after some failures in a row. The lane is then paused in the store, so that no
 * process works on it, and for longer each time. Whoever claims the lane after the pause
 * begins half open: one attempt, and the others wait for what becomes of it.
 *
 * Units   milliseconds.
 * Source  cockatiel; Nygard, Release It!, "Circuit Breaker".
 */
import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhenResult
} from 'cockatiel'
import { backoffMs } from '../retry/backoff.js'

export interface Circuit {
  /** Null when the circuit is open: no attempt was made. */
  attempt<T extends { readonly isFailure: boolean }>(make: () => Promise<T>): Promise<T | null>
  /** Since the last success; 0 while it is closed. */
  readonly opened: number
  /** How long the lane is to be left alone; null while the circuit is not open. */
  readonly pauseMs: number | null
}

const FAILURES_IN_A_ROW = 10
const PAUSE = { baseMs: 10_000, maxMs: 300_000 }
/**
 * Its own state after which it is half open at once: the pause is over when a lane
 * begins.
 */
const halfOpenNext = (opened: number): unknown => ({
  ownState: { value: CircuitState.Open, openedAt: 0, attemptNo: opened },
  breakerState: 0
})

/**
 * `openedBefore`: how often it has opened since an attempt succeeded, by what the last
 * lane left.
 */
export function createCircuit(openedBefore: number, random: () => number): Circuit {
  let opened = openedBefore
  let pauseMs: number | null = null
  const policy = circuitBreaker(
    handleWhenResult(result => (result as { readonly isFailure: boolean }).isFailure),
    {
      breaker: new ConsecutiveBreaker(FAILURES_IN_A_ROW),
      // This lane ends when it opens.
      halfOpenAfter: PAUSE.maxMs,
      ...(opened > 0 ? { initialState: halfOpenNext(opened) } : {})
    }
  )
  policy.onBreak(() => {
    opened += 1
    pauseMs = backoffMs(opened, PAUSE, random)
  })
  policy.onReset(() => {
    opened = 0
    pauseMs = null
  })
  return {
    async attempt(make) {
      try {
        return await policy.execute(make)
      } catch (error) {
        if (error instanceof BrokenCircuitError) return null
        throw error
      }
    },
    get opened() {
      return opened
    },
    get pauseMs() {
      return pauseMs
    }
  }
}
