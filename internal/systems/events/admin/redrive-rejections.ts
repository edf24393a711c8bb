/**
 * Sends rejected bodies to the queue again, each marked as redriven in the transaction
 * that held it meanwhile.
 *
 * Claim, send, mark, COMMIT, a few rows at a time: killed at any moment it has marked
 * nothing that was not sent. What was sent and not marked is sent once more by the next
 * run, and found to be a duplicate. Two redrives at once take different rows.
 *
 * Units   messages per second.
 * Errors  what the queue does not take for now is tried again with backoff and then given
 *         up with its code; StoreError rejects.
 */
import type { Clock } from '../../../engine/lifecycle/clock.js'
import { delay } from '../../../engine/lifecycle/interrupt.js'
import type { QueueWriter } from '../../../engine/queue/queue.js'
import { createBatchPace } from '../../../engine/rate/batch-pace.js'
import { backoffMs } from '../../../engine/retry/backoff.js'
import type { Records, RejectionFilter, RejectionPlace } from '../store/records.js'
import type { RedriveResult } from './redrive-report.js'
import { type Resent, resend, type Unsent } from './resend.js'
import type { Objection } from './would-accept.js'

export interface RedriveOptions {
  readonly records: Pick<Records, 'now' | 'claimRejections'>
  readonly writer: QueueWriter
  readonly filter: RejectionFilter
  readonly limit: number | null
  readonly ratePerSecond: number | null
  readonly clock: Clock
  readonly random: () => number
  readonly signal: AbortSignal
  readonly onSent: (sent: number) => void
  /**
   * Says what speaks against sending a body, null for nothing; absent: all are sent. What
   * is held back is not marked.
   */
  readonly judge?: (body: string) => Objection | null
  readonly onHeldBack?: (queueMessageId: string, objection: Objection) => void
}

const RETRY = { baseMs: 500, maxMs: 8_000 }
const MAX_ATTEMPTS = 5

export async function redriveRejections(options: RedriveOptions): Promise<RedriveResult> {
  const {
    records,
    writer,
    filter,
    limit,
    clock,
    random,
    signal,
    onSent,
    judge = () => null,
    onHeldBack = () => undefined
  } = options
  const pace = createBatchPace(options.ratePerSecond, clock, writer.limits.entries)
  const startedAt = await records.now()
  const refused: Unsent[] = []
  let after: RejectionPlace | null = null
  let sent = 0
  let attempt = 0
  const result = (failedCode: string | null): RedriveResult => ({
    sent,
    refused,
    failedCode,
    isInterrupted: signal.aborted
  })
  while (limit === null || sent < limit) {
    await pace.due(signal)
    if (signal.aborted) break
    const maxRows = limit === null ? pace.batchSize : Math.min(pace.batchSize, limit - sent)
    let resent: Resent = { sent: [], refused: [], failed: [] }
    let heldBack: readonly (readonly [queueMessageId: string, objection: Objection])[] = []
    const last: RejectionPlace | null = await records.claimRejections(
      { filter, startedAt, after, maxRows },
      async claimed => {
        const judged = claimed.map(rejection => [rejection, judge(rejection.body)] as const)
        heldBack = judged.flatMap(([{ queueMessageId }, objection]) =>
          objection === null ? [] : [[queueMessageId, objection]]
        )
        const passing = judged.flatMap(([rejection, objection]) =>
          objection === null ? [rejection] : []
        )
        resent = await resend(passing, writer)
        return resent.sent
      }
    )
    if (last === null) break
    sent += resent.sent.length
    pace.spent(resent.sent.length)
    onSent(sent)
    const [failure] = resent.failed
    if (failure === undefined) {
      attempt = 0
      refused.push(...resent.refused)
      for (const [queueMessageId, objection] of heldBack) onHeldBack(queueMessageId, objection)
      // What was sent is marked and would not come again; what was refused would.
      after = last
    } else if (++attempt === MAX_ATTEMPTS) return result(failure.code)
    else await delay(clock, backoffMs(attempt, RETRY, random), signal)
  }
  return result(null)
}
