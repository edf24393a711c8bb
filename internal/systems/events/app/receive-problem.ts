/** What keeps a processor's worker from receiving, for /readyz. */

import type { ProblemOf } from '../../../engine/cluster/readiness.js'
import type { WorkerStatus } from './protocol.js'

/** A receive may take its long poll and this much more. */
const RECEIVE_MARGIN_MS = 15_000

export function createReceiveProblem(waitTimeMs: number): ProblemOf<WorkerStatus> {
  const silentMs = 2 * waitTimeMs + RECEIVE_MARGIN_MS
  return ({ gateReasons, isReceiving, receiveProblem, sinceReceiveMs }) => {
    // Full in-flight work is a busy worker, not an unready one.
    if (gateReasons.includes('database')) return 'waits for the database'
    if (receiveProblem !== null) return `receives fail (${receiveProblem})`
    return isReceiving && sinceReceiveMs > silentMs
      ? `the queue has not answered for ${Math.round(sinceReceiveMs / 1_000)} s`
      : null
  }
}
