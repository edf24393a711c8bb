/** An intake as the work of a worker: what it reports, and how it drains. */
import type { IntakeStatus } from '../intake/intake.js'
import type { CounterSums } from '../observe/counters.js'
import type { Log } from '../observe/log.js'
import type { MetricSnapshot } from '../observe/worker-reports.js'
import { type ReceiveStatus, receiveStatusOf } from './receive-problem.js'
import type { WorkerParts } from './run-worker.js'

export interface IntakeWorkOptions {
  readonly intake: { readonly status: IntakeStatus; stop(withinMs: number): Promise<void> }
  readonly sums: CounterSums
  readonly metrics: { snapshot(status: IntakeStatus): Promise<readonly MetricSnapshot[]> }
  readonly logSummary: () => void
  readonly log: Log
}

export function workOf({
  intake,
  sums,
  metrics,
  logSummary,
  log
}: IntakeWorkOptions): WorkerParts<ReceiveStatus> {
  return {
    report: async () => ({
      counts: sums.counts,
      metrics: await metrics.snapshot(intake.status),
      status: receiveStatusOf(intake.status)
    }),
    logSummary,
    async drain(withinMs) {
      log.info({ inFlight: intake.status.inFlight }, 'draining')
      await intake.stop(withinMs)
      log.info({ inFlight: intake.status.inFlight }, 'drained')
    }
  }
}
