/**
 * One function per event of the sender: what is counted and what is logged, in one place.
 *
 * Logs  debug: a line per attempt · info: a line per second with work in it, and per
 *       pause · warn: faults, disabled endpoints. Never a payload, an answer or a secret.
 */
import type { DeliveryObserver, SenderStep } from '../../../engine/dispatch/observer.js'
import { StoreError } from '../../../engine/intake/store.js'
import type { Log } from '../../../engine/observe/log.js'
import type { AttemptOutcome, SenderMetrics } from './sender-metrics.js'

export interface DeliveryEvents {
  readonly observer: DeliveryObserver
  /** The steps that fail at present, and why. */
  readonly problems: ReadonlyMap<SenderStep, string>
  /** Logs what happened since the last call, if anything did. */
  logSummary(): void
}

export function createDeliveryEvents({
  log,
  metrics
}: {
  readonly log: Log
  readonly metrics: SenderMetrics
}): DeliveryEvents {
  const problems = new Map<SenderStep, string>()
  let second: Partial<Record<'made' | AttemptOutcome, number>> = {}
  const count = (what: 'made' | AttemptOutcome, amount = 1): void => {
    second[what] = (second[what] ?? 0) + amount
  }
  const observer: DeliveryObserver = {
    fannedOut({ events, deliveries }) {
      if (events === 0) return
      metrics.eventsRead.inc(events)
      metrics.deliveriesMade.inc(deliveries)
      if (deliveries > 0) count('made', deliveries)
    },
    attemptedFirst(_endpoint, delayMs) {
      metrics.firstAttemptDelaySeconds.observe(Math.max(0, delayMs) / 1_000)
    },
    attempted({ id: endpoint }, { id: delivery }, attempt, result, then) {
      const outcome: AttemptOutcome = then.state === 'pending' ? 'retried' : then.state
      metrics.attempts.inc({ outcome })
      metrics.attemptSeconds.observe(result.ms / 1_000)
      count(outcome)
      if (!log.isLevelEnabled('debug')) return
      const how =
        result.kind === 'answered' ? { status: result.status } : { errorClass: result.errorClass }
      log.debug(
        { endpoint, delivery, attempt, ...how, ms: Math.round(result.ms), outcome },
        'attempted'
      )
    },
    paused({ id: endpoint, client }, forMs) {
      metrics.paused.inc()
      log.info(
        { endpoint, client, forS: Math.round(forMs / 1_000) },
        'endpoint is left alone for a while'
      )
    },
    disabled({ id: endpoint, client }, reason) {
      metrics.disabled.inc()
      log.warn(
        { endpoint, client, reason },
        'endpoint disabled; what it was owed is dead until somebody redrives it'
      )
    },
    ended(deliveries) {
      metrics.ended.inc(deliveries)
      log.info({ deliveries }, 'deliveries of disabled endpoints are dead')
    },
    failed(step, error) {
      metrics.failed.inc({ step })
      const reason =
        error instanceof StoreError && error.fault === 'data'
          ? `SQLSTATE ${error.code}`
          : wordsOf(error)
      problems.set(step, reason)
      log.warn({ step, reason }, 'a step of the sender failed; trying again')
    },
    worked(step) {
      if (problems.delete(step)) log.info({ step }, 'it works again')
    }
  }
  return {
    observer,
    problems,
    logSummary() {
      if (Object.keys(second).length > 0) log.info(second, 'this second')
      second = {}
    }
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
