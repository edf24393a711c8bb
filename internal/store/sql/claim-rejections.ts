import type { Claim, ClaimedRejection, RejectionPlace } from '../records.js'
import { conditionsOf, decodeBody, type Queryable } from './read-rejections.js'

interface ClaimedRow extends ClaimedRejection {
  readonly bodyEncoding: 'plain' | 'json-string'
  readonly receivedAt: string
}

export interface Claimed {
  readonly rejections: readonly ClaimedRejection[]
  readonly last: RejectionPlace | null
}

/** Locks rows until the caller's transaction ends; rows that another session has locked are passed over, not waited for. */
export async function claimRejections(db: Queryable, { filter, startedAt, after, maxRows }: Claim): Promise<Claimed> {
  const { text, values } = conditionsOf(filter)
  const [afterTime, afterId] = after ?? ['-infinity', '']
  const at = (offset: number): string => `$${values.length + offset}`
  // Marked since the start means sent by this redrive or by one beside it.
  const { rows } = await db.query<ClaimedRow>(
    `SELECT queue_message_id AS "queueMessageId", coalesce(origin_queue_message_id, queue_message_id) AS origin, body,
            body_encoding AS "bodyEncoding", received_at::text AS "receivedAt"
     FROM rejection
     WHERE ${text} AND received_at <= ${at(1)}::timestamptz AND (redriven_at IS NULL OR redriven_at < ${at(1)}::timestamptz)
       AND (received_at, queue_message_id) > (${at(2)}::timestamptz, ${at(3)}::text)
     ORDER BY received_at, queue_message_id LIMIT ${at(4)}
     FOR UPDATE SKIP LOCKED`,
    [...values, startedAt, afterTime, afterId, maxRows]
  )
  const last = rows.at(-1)
  return {
    rejections: rows.map(({ queueMessageId, origin, body, bodyEncoding }) => ({
      queueMessageId,
      origin,
      body: decodeBody(body, bodyEncoding)
    })),
    last: last === undefined ? null : [last.receivedAt, last.queueMessageId]
  }
}

/** The time is that at which the transaction began, before the message was sent: whatever becomes of the copy comes after it. */
export async function markRedriven(db: Queryable, queueMessageIds: readonly string[]): Promise<void> {
  await db.query('UPDATE rejection SET redriven_at = now() WHERE queue_message_id = ANY ($1::text[])', [queueMessageIds])
}
