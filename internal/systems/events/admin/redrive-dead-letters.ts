/**
 * Sends dead letters to the main queue again, and deletes each from the dead-letter queue
 * once its copy is accepted.
 *
 * Send, mark, delete, ten at a time: a kill at any moment has deleted nothing unsent. A
 * message that was sent but not deleted is sent again by the next run, as a duplicate. A
 * dead letter may have been rejected before (its deletes failed): its rejection is then
 * marked as redriven, so that nobody takes it for the outcome.
 *
 * Errors  messages that the queue does not accept for now are tried again with backoff,
 *         then given up with the queue's code; a failed delete leaves a dead letter whose
 *         event is decided. QueueError and StoreError reject.
 */
import type { Clock } from '../../../engine/lifecycle/clock.js'
import { delay } from '../../../engine/lifecycle/interrupt.js'
import { firstId, type ReceivedMessage } from '../../../engine/message/message.js'
import type { InspectableQueue, QueueWriter } from '../../../engine/queue/queue.js'
import { settleAll } from '../../../engine/queue/settle-all.js'
import { createBatchPace } from '../../../engine/rate/batch-pace.js'
import type { RedriveResult, Unsent } from '../../../engine/rejections/redrive-report.js'
import { backoffMs } from '../../../engine/retry/backoff.js'
import type { Records } from '../store/records.js'
import { type DeadLetterFilter, matches, readDeadLetter } from './dead-letter.js'
import { type Resendable, resend } from './resend.js'
import { type Scan, scanQueue, type Visited } from './scan-queue.js'

export interface RedriveDeadLettersOptions {
  readonly deadLetters: InspectableQueue
  readonly writer: QueueWriter
  readonly records: Pick<Records, 'markRedriven'>
  readonly filter: DeadLetterFilter
  readonly limit: number | null
  readonly ratePerSecond: number | null
  readonly clock: Clock
  readonly random: () => number
  readonly signal: AbortSignal
  readonly onSent: (sent: number) => void
}

export interface DeadLetterRedrive extends RedriveResult, Scan {
  /** Sent, but still in the dead-letter queue. */
  readonly undeleted: number
}

const RETRY = { baseMs: 500, maxMs: 4_000 }
const MAX_ATTEMPTS = 4

export async function redriveDeadLetters(
  options: RedriveDeadLettersOptions
): Promise<DeadLetterRedrive> {
  const { deadLetters, writer, records, filter, limit, clock, random, signal, onSent } = options
  const pace = createBatchPace(options.ratePerSecond, clock, deadLetters.limits.receive)
  const refused: Unsent[] = []
  let failedCode: string | null = null
  let sent = 0
  let undeleted = 0

  async function visit(messages: readonly ReceivedMessage[]): Promise<Visited> {
    const room = limit === null ? messages.length : limit - sent
    const chosen = messages
      .filter(message => matches(readDeadLetter(message), filter))
      .slice(0, room)
    const accepted = await send(chosen)
    const ids = accepted.map(({ id }) => id)
    if (ids.length > 0) await records.markRedriven(ids)
    const remaining = await settleAll(accepted, receipts => deadLetters.ack(receipts), {
      clock,
      signal
    })
    undeleted += remaining.length
    sent += ids.length
    pace.spent(ids.length)
    onSent(sent)
    return { gone: new Set(ids), isEnough: failedCode !== null || sent === limit }
  }

  /** Resolves with what the queue has accepted, after MAX_ATTEMPTS at most. */
  async function send(chosen: readonly ReceivedMessage[]): Promise<readonly ReceivedMessage[]> {
    const accepted = new Set<string>()
    let open: readonly Resendable[] = chosen.map(message => ({
      queueMessageId: message.id,
      origin: firstId(message),
      body: message.body
    }))
    for (let attempt = 1; open.length > 0; attempt++) {
      const resent = await resend(open, writer)
      for (const id of resent.sent) accepted.add(id)
      refused.push(...resent.refused)
      const again = new Set(resent.failed.map(({ queueMessageId }) => queueMessageId))
      open = open.filter(({ queueMessageId }) => again.has(queueMessageId))
      const code = resent.failed[0]?.code ?? null
      if (code !== null && (attempt === MAX_ATTEMPTS || signal.aborted)) {
        failedCode = code
        break
      }
      if (code !== null) await delay(clock, backoffMs(attempt, RETRY, random), signal)
    }
    return chosen.filter(({ id }) => accepted.has(id))
  }

  const scan = await scanQueue({
    queue: deadLetters,
    clock,
    signal,
    before: () => pace.due(signal),
    batchSize: pace.batchSize,
    visit
  })
  return { sent, refused, failedCode, isInterrupted: signal.aborted, undeleted, ...scan }
}
