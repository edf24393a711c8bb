/**
 * Sends rejected bodies to the queue again, and marks each as redriven in the transaction
 * that has claimed it.
 *
 * Claim, send, mark, COMMIT, a few rows at a time: a kill at any moment has marked
 * nothing unsent. A message that was sent but not marked is sent again by the next run,
 * as a duplicate. Two redrives at once take different rows.
 *
 * Units   messages per second.
 * Errors  messages that the queue does not take for now are tried again with backoff,
 *         then given up with the queue's code; StoreError rejects.
 */
import type { Clock } from '../lifecycle/clock.js'
import { delay } from '../lifecycle/interrupt.js'
import { createBatchPace } from '../rate/batch-pace.js'
import { backoffMs } from '../retry/backoff.js'
import type { Objection } from './objections.js'
import type { ClaimedRejection, RejectionPlace, RejectionRecords } from './records.js'
import type { RedriveResult, Resent, Unsent } from './redrive-report.js'

export interface RedriveOptions<Filter> {
  readonly records: Pick<RejectionRecords<Filter, unknown>, 'now' | 'claimRejections'>
  readonly send: (claimed: readonly ClaimedRejection[]) => Promise<Resent>
  readonly filter: Filter
  readonly limit: number | null
  readonly ratePerSecond: number | null
  /** As many as one call to the queue holds. */
  readonly batchSize: number
  readonly clock: Clock
  readonly random: () => number
  readonly signal: AbortSignal
  readonly onSent: (sent: number) => void
  /** Why a body would be refused again; null if it would not. */
  readonly objectionTo: (body: string) => Objection | null
  /** A rejection that is held back is not marked. */
  readonly onHeldBack: (queueMessageId: string, objection: Objection) => void
}

const RETRY = { baseMs: 500, maxMs: 8_000 }
const MAX_ATTEMPTS = 5

export async function redriveRejections<Filter>(
  options: RedriveOptions<Filter>
): Promise<RedriveResult> {
  const { records, filter, limit, clock, random, signal } = options
  const pace = createBatchPace(options.ratePerSecond, clock, options.batchSize)
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
        const judged = claimed.map(
          rejection => [rejection, options.objectionTo(rejection.body)] as const
        )
        heldBack = judged.flatMap(([{ queueMessageId }, objection]) =>
          objection === null ? [] : [[queueMessageId, objection]]
        )
        const passing = judged.flatMap(([rejection, objection]) =>
          objection === null ? [rejection] : []
        )
        resent = await options.send(passing)
        return resent.sent
      }
    )
    if (last === null) break
    sent += resent.sent.length
    pace.spent(resent.sent.length)
    options.onSent(sent)
    const [failure] = resent.failed
    if (failure === undefined) {
      attempt = 0
      refused.push(...resent.refused)
      for (const [queueMessageId, objection] of heldBack)
        options.onHeldBack(queueMessageId, objection)
      // Sent rows are marked and would not come again; refused ones would.
      after = last
    } else if (++attempt === MAX_ATTEMPTS) return result(failure.code)
    else await delay(clock, backoffMs(attempt, RETRY, random), signal)
  }
  return result(null)
}
