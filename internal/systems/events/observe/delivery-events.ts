/**
 * One function per event of the sender says what is counted and what is logged.
 *
 * Logs  debug: a line per attempt · info: a line per second with work in it, and per
 *       pause · warn: faults, disabled endpoints. Never a payload, an answer or a secret.
 */
import type { DutyFate } from '../../../engine/dispatch/dispatch.js'
import type { DispatchStep } from '../../../engine/dispatch/observer.js'
import { StoreError } from '../../../engine/intake/store.js'
import type { Log } from '../../../engine/observe/log.js'
import type { DeliveryObserver } from '../delivery/dispatch.js'
import type { AttemptOutcome, SenderMetrics } from './sender-metrics.js'

export interface DeliveryEvents {
  readonly observer: DeliveryObserver
  /** The steps that are failing now, with the reason. */
  readonly problems: ReadonlyMap<string, string>
  /** Logs what happened since the last call, if anything did. */
  logSummary(): void
}

const OUTCOME_OF = {
  done: 'delivered',
  'given-up': 'dead',
  retry: 'retried',
  again: 'retried'
} as const satisfies Record<DutyFate['kind'], AttemptOutcome>

/** Names of steps in metrics and log records, where they differ from the step's own. */
const SHOWN_AS: ReadonlyMap<string, string> = new Map<DispatchStep, string>([
  ['wake-due', 'call-due'],
  ['claim', 'take'],
  ['renew', 'keep']
])

/**
 * pg-boss's own work. It reports failures but no successes, and the sender can send
 * without it, so a failure is no lasting problem.
 */
const BACKGROUND = 'background'

export function createDeliveryEvents({
  log,
  metrics
}: {
  readonly log: Log
  readonly metrics: SenderMetrics
}): DeliveryEvents {
  const problems = new Map<string, string>()
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
    attempted({ id: endpoint }, { id: delivery, receivedAtMs }, made) {
      const { attempt, startedAtMs, result, fate } = made
      const outcome = OUTCOME_OF[fate.kind]
      if (attempt === 1)
        metrics.firstAttemptDelaySeconds.observe(Math.max(0, startedAtMs - receivedAtMs) / 1_000)
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
      log.info({ endpoint, client, forS: Math.round(forMs / 1_000) }, 'endpoint paused')
    },
    disabled({ id: endpoint, client }, reason) {
      metrics.disabled.inc()
      log.warn(
        { endpoint, client, reason },
        'endpoint disabled; its pending deliveries are dead until redriven'
      )
    },
    ended(deliveries) {
      metrics.ended.inc(deliveries)
      log.info({ deliveries }, 'deliveries of disabled endpoints are dead')
    },
    failed(name, error) {
      const step = SHOWN_AS.get(name) ?? name
      metrics.failed.inc({ step })
      const reason =
        error instanceof StoreError && error.fault === 'data'
          ? `SQLSTATE ${error.code}`
          : wordsOf(error)
      if (name !== BACKGROUND) problems.set(step, reason)
      log.warn({ step, reason }, 'a step of the sender failed; trying again')
    },
    worked(name) {
      const step = SHOWN_AS.get(name) ?? name
      if (problems.delete(step)) log.info({ step }, 'the step works again')
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
