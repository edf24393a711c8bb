import type { DutyFate, DutyOutcome } from '../../../../../engine/dispatch/dispatch.js'
import type { PostResult } from '../../../../../engine/egress/result.js'
import { toStorable } from '../../../../../engine/message/storable.js'
import { encodeTextArray } from '../../../../../engine/postgres/array-parameter.js'
import type { Queryable } from '../../../../../engine/postgres/queryable.js'
import type { DeliveryState } from '../delivery-records.js'

// Records an attempt once, and moves its delivery on only from the attempt before it. So
// a late outcome, from a process that lost its lane while it waited for the endpoint,
// changes nothing. Rows are locked in id order, or two such processes could deadlock. The
// state is checked after locking: with it in the scan, a server without statistics reads
// the whole index of pending deliveries.
const SETTLE = `
WITH o AS MATERIALIZED (
  SELECT id::bigint AS id, attempt::int AS attempt, to_timestamp(started_at_ms::float8 / 1000) AS started_at,
         duration_ms::int AS duration_ms, status::smallint AS status, error_class, response, state, reason,
         retry_in_ms::float8 * interval '1 millisecond' AS retry_in
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
              $9::text[], $10::text[])
       AS t (id, attempt, started_at_ms, duration_ms, status, error_class, response, state, reason, retry_in_ms)
), recorded AS (
  INSERT INTO delivery_attempt (delivery_id, attempt, started_at, duration_ms, status, error_class, response)
  SELECT id, attempt, started_at, duration_ms, status, error_class, response FROM o ORDER BY id, attempt
  ON CONFLICT DO NOTHING
), locked AS MATERIALIZED (
  SELECT d.id, d.attempts, d.state FROM delivery d
  WHERE d.id = ANY (ARRAY(SELECT id FROM o)) ORDER BY d.id FOR NO KEY UPDATE
)
UPDATE delivery d
SET state = o.state, dead_reason = o.reason, attempts = o.attempt,
    next_attempt_at = CASE WHEN o.state <> 'pending' THEN NULL
                           WHEN d.next_attempt_at = '-infinity' THEN '-infinity'
                           ELSE now() + o.retry_in END,
    finished_at = CASE WHEN o.state <> 'pending' THEN now() END
FROM o JOIN locked l ON l.id = o.id AND l.attempts = o.attempt - 1 AND l.state = 'pending'
WHERE d.id = o.id`

const STATE_OF = {
  done: 'delivered',
  'given-up': 'dead',
  retry: 'pending',
  again: 'pending'
} as const satisfies Record<DutyFate['kind'], DeliveryState>

const MAX_RESPONSE_CHARS = 1_024

export async function settleDeliveries(
  db: Queryable,
  outcomes: readonly DutyOutcome<PostResult>[]
): Promise<void> {
  const columns: readonly (readonly (string | null)[])[] = [
    outcomes.map(({ dutyId }) => dutyId),
    outcomes.map(({ attempt }) => String(attempt)),
    outcomes.map(({ startedAtMs }) => String(startedAtMs)),
    outcomes.map(({ result }) => String(Math.round(result.ms))),
    outcomes.map(({ result }) => (result.kind === 'answered' ? String(result.status) : null)),
    outcomes.map(({ result }) => (result.kind === 'failed' ? result.errorClass : null)),
    outcomes.map(({ result }) => toStorable(responseOf(result), MAX_RESPONSE_CHARS)),
    outcomes.map(({ fate }) => STATE_OF[fate.kind]),
    outcomes.map(({ fate }) => (fate.kind === 'given-up' ? 'schedule-ended' : null)),
    outcomes.map(({ fate }) => ('inMs' in fate ? String(fate.inMs) : null))
  ]
  await db.query(SETTLE, columns.map(encodeTextArray))
}

/** The beginning of the answer, or details of the error. */
function responseOf(result: PostResult): string {
  return result.kind === 'answered' ? result.responseHead : result.detail
}
