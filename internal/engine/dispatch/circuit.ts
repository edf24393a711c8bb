/**
 * The circuit breaker of one lane, for as long as a process works on it.
 *
 * It opens after several failures in a row. The lane is then paused in the store, longer
 * each time, so that no process works on it. The process that claims the lane after the
 * pause begins half open: it makes one attempt, and the others wait for its outcome.
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
  /** How often it has opened since the last success; 0 while it is closed. */
  readonly opened: number
  /** How long to leave the lane alone; null while the circuit is not open. */
  readonly pauseMs: number | null
}

const FAILURES_IN_A_ROW = 10
const PAUSE = { baseMs: 10_000, maxMs: 300_000 }
/**
 * The state from which the breaker goes half open at once: when a lane begins, its pause
 * is over.
 */
const halfOpenNext = (opened: number): unknown => ({
  ownState: { value: CircuitState.Open, openedAt: 0, attemptNo: opened },
  breakerState: 0
})

/**
 * `openedBefore`: how often it has opened since the last success, as stored with the
 * lane.
 */
export function createCircuit(openedBefore: number, random: () => number): Circuit {
  let opened = openedBefore
  let pauseMs: number | null = null
  const policy = circuitBreaker(
    handleWhenResult(result => (result as { readonly isFailure: boolean }).isFailure),
    {
      breaker: new ConsecutiveBreaker(FAILURES_IN_A_ROW),
      // The work on the lane ends when the circuit opens.
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
