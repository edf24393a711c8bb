/** What keeps a worker with an intake from receiving, for /readyz. */
import type { IntakeStatus } from '../intake/intake.js'
import type { ProblemOf } from './readiness.js'

export type ReceiveStatus = Pick<
  IntakeStatus,
  'isGateOpen' | 'gateReasons' | 'sinceReceiveMs' | 'receiveProblem'
>

/** A receive may take its long poll and this much more. */
const RECEIVE_MARGIN_MS = 15_000

export function receiveStatusOf(status: IntakeStatus): ReceiveStatus {
  const { isGateOpen, gateReasons, sinceReceiveMs, receiveProblem } = status
  return { isGateOpen, gateReasons, sinceReceiveMs, receiveProblem }
}

export function createReceiveProblem(waitTimeMs: number): ProblemOf<ReceiveStatus> {
  const silentMs = 2 * waitTimeMs + RECEIVE_MARGIN_MS
  return ({ gateReasons, isGateOpen, receiveProblem, sinceReceiveMs }) => {
    // Full in-flight work is a busy worker, not an unready one.
    if (gateReasons.includes('database')) return 'waits for the database'
    if (receiveProblem !== null) return `receives fail (${receiveProblem})`
    return isGateOpen && sinceReceiveMs > silentMs
      ? `the queue has not answered for ${Math.round(sinceReceiveMs / 1_000)} s`
      : null
  }
}
