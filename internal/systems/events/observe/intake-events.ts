/**
 * One function per event of the intake says what is counted and what is logged.
 *
 * Logs  trace: a line per message · debug: a line per step of a batch · info: a line per
 *       second with work in it · warn: faults.
 */

import {
  countDispositions,
  createCommitJournal,
  type SendWord
} from '../../../engine/cluster/intake-reporter.js'
import type { CommitJournal } from '../../../engine/intake/committer.js'
import type { IntakeObserver } from '../../../engine/intake/observer.js'
import { StoreError } from '../../../engine/intake/store.js'
import type { Clock } from '../../../engine/lifecycle/clock.js'
import { CounterSums, type Counts, type SumsOf } from '../../../engine/observe/counters.js'
import type { Log } from '../../../engine/observe/log.js'
import type { EventRejection, ValidEvent } from '../event/event.js'
import type { PostponeObserver } from '../quota/postpone.js'
import type { ClientMetrics } from './client-metrics.js'
import type { ProcessorCounter } from './counters.js'

interface Observed {
  observe(value: number): void
}

/** Measured per batch and per message. */
interface IntakeMetrics {
  readonly batchRows: Observed
  readonly commitSeconds: Observed
  readonly queueDwellSeconds: Observed
  readonly clients: ClientMetrics
}

export interface IntakeEventsOptions {
  readonly log: Log
  readonly clock: Clock
  readonly metrics: IntakeMetrics
  readonly send: SendWord
}

export interface IntakeEvents {
  readonly observer: IntakeObserver<ValidEvent, EventRejection> & PostponeObserver
  readonly journal: CommitJournal<ValidEvent, EventRejection>
  readonly sums: SumsOf<ProcessorCounter>
  /** Logs what happened since the last call, if anything did. */
  logSummary(): void
}

export function createIntakeEvents({
  log,
  clock,
  metrics,
  send
}: IntakeEventsOptions): IntakeEvents {
  const sums: SumsOf<ProcessorCounter> = new CounterSums()
  let summarized: Counts = {}

  const journal = createCommitJournal<ValidEvent, EventRejection>({
    sums,
    send,
    countsOf: (dispositions, entries) => ({
      ...countDispositions(dispositions),
      ...metrics.clients.count(entries, dispositions)
    })
  })

  const observer: IntakeEvents['observer'] = {
    received(messages) {
      sums.add('received', messages.length)
      let redelivered = 0
      for (const message of messages) if (message.receiveCount > 1) redelivered += 1
      sums.add('redelivered', redelivered)
      log.debug({ messages: messages.length, redelivered }, 'received')
    },
    committed(entries, dispositions, cause, tookMs) {
      sums.add('flush', 1, cause)
      metrics.batchRows.observe(entries.length)
      metrics.commitSeconds.observe(tookMs / 1_000)
      const nowMs = clock.epochMs()
      for (const entry of entries) {
        const seconds = Math.max(0, nowMs - entry.message.sentAtMs) / 1_000
        metrics.queueDwellSeconds.observe(seconds)
        metrics.clients.dwelt(entry, seconds)
      }
      if (!log.isLevelEnabled('debug')) return
      log.debug(
        {
          rows: entries.length,
          cause,
          tookMs: Math.round(tookMs),
          ...countDispositions(dispositions)
        },
        'committed'
      )
      if (!log.isLevelEnabled('trace')) return
      entries.forEach(({ message }, index) =>
        log.trace({ id: message.id, disposition: dispositions[index] }, 'settling')
      )
    },
    receiveFailed(error) {
      sums.add('receive_failed', 1)
      log.warn(
        { code: error.code, reason: error.message },
        'receive failed; trying again after a backoff'
      )
    },
    deleteFailed(code, entries, isFinal) {
      sums.add('delete_failed', entries)
      log.warn(
        { code, entries },
        isFinal
          ? 'delete failed; left to redelivery, which finds a duplicate'
          : 'delete failed; trying again'
      )
    },
    extendFailed(code, entries) {
      sums.add('extend_failed', entries)
      log.warn({ code, entries }, 'visibility not extended; the messages may be delivered twice')
    },
    sentLater(entries) {
      sums.add('sent_later', entries)
      log.debug({ entries }, 'over quota; sent again with a delay')
    },
    sendFailed(code, entries) {
      sums.add('send_failed', entries)
      log.warn({ code, entries }, 'sending again with a delay failed; keeping the messages')
    },
    storeFailed(error, attempt) {
      sums.add('store_failed', 1)
      log.warn(
        { code: error.code, fault: error.fault, attempt, reason: wordsOf(error) },
        'database fails; receiving is paused, the batch is kept'
      )
    },
    storeRecovered() {
      log.info('database is back; receiving again')
    },
    gateChanged(isOpen, reasons) {
      log.debug({ isOpen, reasons }, 'gate')
    },
    leftToQueue(messageId, error) {
      sums.add('left_to_queue', 1)
      log.error(
        { id: messageId, reason: wordsOf(error) },
        'message has no disposition; left to the dead-letter queue'
      )
    }
  }

  return {
    observer,
    journal,
    sums,
    logSummary() {
      const now = { ...sums.counts }
      const since = Object.fromEntries(
        Object.entries(now)
          .map(([key, count]) => [key, count - (summarized[key] ?? 0)] as const)
          .filter(
            ([key, count]) => count > 0 && !key.startsWith('flush') && !key.startsWith('client_')
          )
      )
      summarized = now
      if (Object.keys(since).length > 0) log.info(since, 'this second')
    }
  }
}

/**
 * What may be logged of a failure. PostgreSQL may quote a row that it refuses, so only
 * the code is safe then.
 */
function wordsOf(error: unknown): string {
  if (!(error instanceof StoreError)) return String(error)
  return error.fault === 'data' ? `SQLSTATE ${error.code}` : error.message
}
