/** What keeps a worker with an intake from receiving, for /readyz. */
import type { IntakeStatus } from '../intake/intake.js'
import type { ProblemOf } from './readiness.js'

export type ReceiveStatus = Pick<
  IntakeStatus,
  'isGateOpen' | 'gateReasons' | 'sinceReceiveMs' | 'receiveProblem'
>

/** How long the queue may stay silent beyond two long polls. */
const RECEIVE_MARGIN_MS = 15_000

export function receiveStatusOf(status: IntakeStatus): ReceiveStatus {
  const { isGateOpen, gateReasons, sinceReceiveMs, receiveProblem } = status
  return { isGateOpen, gateReasons, sinceReceiveMs, receiveProblem }
}

export function createReceiveProblem(waitTimeMs: number): ProblemOf<ReceiveStatus> {
  const silentMs = 2 * waitTimeMs + RECEIVE_MARGIN_MS
  return ({ gateReasons, isGateOpen, receiveProblem, sinceReceiveMs }) => {
    // A worker at its limit of in-flight work is busy, not unready.
    if (gateReasons.includes('database')) return 'waiting for the database'
    if (receiveProblem !== null) return `receives fail (${receiveProblem})`
    return isGateOpen && sinceReceiveMs > silentMs
      ? `the queue has not answered for ${Math.round(sinceReceiveMs / 1_000)} s`
      : null
  }
}
