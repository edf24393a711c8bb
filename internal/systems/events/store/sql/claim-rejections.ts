import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type {
  ClaimedRejection,
  RejectionClaim,
  RejectionPlace
} from '../../../../engine/rejections/records.js'
import type { EventRejectionFilter } from '../records.js'
import { decodeBody, FILTER, filterValues } from './rejection-filter.js'

interface ClaimedRow extends ClaimedRejection {
  readonly bodyEncoding: 'plain' | 'json-string'
  readonly receivedAt: string
}

export interface Claimed {
  readonly rejections: readonly ClaimedRejection[]
  readonly last: RejectionPlace | null
}

// Rows that another session has locked are skipped, not waited for. A row marked since
// the start was sent by this redrive or by a concurrent one.
const CLAIM = `
SELECT queue_message_id AS "queueMessageId",
       coalesce(origin_queue_message_id, queue_message_id) AS origin, body,
       body_encoding AS "bodyEncoding", received_at::text AS "receivedAt"
FROM rejection
WHERE ${FILTER}
  AND received_at <= $7::timestamptz AND (redriven_at IS NULL OR redriven_at < $7::timestamptz)
  AND (received_at, queue_message_id) > ($8::timestamptz, $9::text)
ORDER BY received_at, queue_message_id LIMIT $10
FOR UPDATE SKIP LOCKED`

/** Locks rows until the caller's transaction ends. */
export async function claimRejections(
  db: Queryable,
  { filter, startedAt, after, maxRows }: RejectionClaim<EventRejectionFilter>
): Promise<Claimed> {
  const [afterTime, afterId] = after ?? ['-infinity', '']
  const { rows } = await db.query<ClaimedRow>(CLAIM, [
    ...filterValues(filter),
    startedAt,
    afterTime,
    afterId,
    maxRows
  ])
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
