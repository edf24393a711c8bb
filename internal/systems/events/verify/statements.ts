/**
 * The SQL of verification: finds what became of each send, in one snapshot.
 *
 * Shapes  temporary tables: `sent` (the ledger), `held` (the rows that a send leads to)
 *         and `fate` (the outcome of each send, and its faults).
 * Source  internal/docs/architecture.md, "Tables" and invariants I1 to I6.
 */

/**
 * `key` is the event's idempotency key within its client; each invalid send is a separate
 * event, whatever its body says. `content` must be equal for all sends of one event.
 */
export const CREATE_SENT = `
CREATE TEMPORARY TABLE sent (
  ordinal bigint GENERATED ALWAYS AS IDENTITY,
  queue_message_id text COLLATE "C" PRIMARY KEY,
  client_id text COLLATE "C" NOT NULL,
  event_type text COLLATE "C",
  event_id text COLLATE "C",
  payload_sha256 text COLLATE "C",
  is_valid boolean NOT NULL,
  key text COLLATE "C" GENERATED ALWAYS AS (
    CASE WHEN is_valid THEN coalesce(event_id, queue_message_id) ELSE queue_message_id END) STORED,
  content text COLLATE "C" GENERATED ALWAYS AS (
    coalesce(event_type, '') || ' ' || coalesce(payload_sha256, '?')) STORED
)`

/** A line that occurs twice in the ledger is one send. */
export const INSERT_SENT = `
INSERT INTO sent (queue_message_id, client_id, event_type, event_id, payload_sha256, is_valid)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[])
ON CONFLICT DO NOTHING`

export const ANALYZE_SENT = 'ANALYZE sent'

export const BEGIN_SNAPSHOT = 'BEGIN ISOLATION LEVEL REPEATABLE READ'
export const END_SNAPSHOT = 'COMMIT'

/**
 * The rows of `message` that an event leads to: under its key, where its row belongs, and
 * under its queue message ids, where a processor with the wrong key would put it. An
 * invalid send must lead to no row, also not under its event id, unless a valid send has
 * that id.
 */
export const CREATE_HELD = `
CREATE TEMPORARY TABLE held ON COMMIT DROP AS
WITH name AS (
  SELECT client_id, key, is_valid, key AS message_id FROM sent
  UNION
  SELECT client_id, key, is_valid, queue_message_id FROM sent
  UNION
  SELECT client_id, key, is_valid, event_id FROM sent AS bad
  WHERE NOT is_valid AND event_id IS NOT NULL
    AND NOT EXISTS (
      SELECT FROM sent AS good
      WHERE good.is_valid AND good.client_id = bad.client_id AND good.key = bad.event_id)
)
SELECT name.client_id, name.key, name.is_valid, m.message_id,
       m.message_id = name.key AS is_under_key,
       m.fk_event_type_name || ' ' || encode(sha256(convert_to(m.message::text, 'UTF8')), 'hex')
         AS content,
       m.fk_event_type_name || ' ?' AS content_of_any_payload
FROM name JOIN message m ON m.fk_client_name = name.client_id AND m.message_id = name.message_id`

export const ANALYZE_HELD = 'ANALYZE held'

/** The id under which the event of a rejection was first accepted. */
const ORIGIN = 'coalesce(rejection.origin_queue_message_id, rejection.queue_message_id)'

/**
 * The planner has only guesses about the intermediate steps, and a nested loop over a
 * million sends would not end.
 */
export const NO_NESTED_LOOPS = 'SET LOCAL enable_nestloop = off'

/**
 * The fate of each send: `stored`, `duplicate` (a further send of a stored event),
 * `rejected` or `unaccounted` (without a row).
 *
 * Sends with the same key and different contents are contested: one content has the row,
 * and each other one must have a rejection `conflict`. A rejection of a copy (delayed by
 * a quota, or redriven) counts for the original send. A redriven rejection counts only
 * until its event is stored: a correction may have made the event valid. `over-quota`
 * says nothing about the event: another send of it may be stored, and once all its
 * rejections are redriven, a copy is on its way.
 */
export const CREATE_FATE = `
CREATE TEMPORARY TABLE fate ON COMMIT DROP AS
WITH event AS (
  SELECT client_id, key, array_agg(DISTINCT content) AS contents FROM sent GROUP BY client_id, key
), stored AS (
  SELECT held.client_id, held.key, count(*) AS rows, bool_or(is_under_key) AS is_under_key,
         array_agg(content) || array_agg(content_of_any_payload) AS contents,
         bool_or(is_valid AND content <> ALL (event.contents)
                 AND content_of_any_payload <> ALL (event.contents)) AS is_altered
  FROM held JOIN event USING (client_id, key)
  GROUP BY held.client_id, held.key
), refused AS (
  SELECT s.queue_message_id,
         (array_agg(reason ORDER BY redriven_at IS NOT NULL, received_at DESC))[1] AS reason,
         bool_or(redriven_at IS NULL) AS is_open, bool_or(redriven_at IS NOT NULL) AS is_redriven
  FROM sent s JOIN rejection ON ${ORIGIN} = s.queue_message_id
  GROUP BY s.queue_message_id
), send AS (
  SELECT s.*, r.reason, stored.rows, stored.is_under_key, stored.is_altered,
         cardinality(event.contents) > 1 AS is_contested, redriven.is_stored,
         CASE
           WHEN r.reason IS NOT NULL AND NOT redriven.is_stored
             AND (r.is_open OR r.reason <> 'over-quota') THEN 'rejected'
           WHEN stored.rows IS NULL THEN 'unaccounted'
           WHEN cardinality(event.contents) = 1 OR stored.is_altered
             OR s.content = ANY (stored.contents) THEN 'stored'
           ELSE 'unaccounted'
         END AS word
  FROM sent s
  JOIN event USING (client_id, key)
  LEFT JOIN stored USING (client_id, key)
  LEFT JOIN refused r ON r.queue_message_id = s.queue_message_id
  CROSS JOIN LATERAL (
    SELECT coalesce(r.is_redriven AND r.reason <> 'conflict'
                    AND s.content = ANY (stored.contents), false) AS is_stored
  ) AS redriven
), numbered AS (
  SELECT *, row_number() OVER (PARTITION BY client_id, key ORDER BY ordinal) AS nth_of_event,
         row_number() OVER (
           PARTITION BY client_id, key, word, CASE WHEN word = 'unaccounted' THEN content END
           ORDER BY ordinal) AS nth_of_word
  FROM send
)
SELECT queue_message_id, client_id, key, reason, nth_of_event = 1 AS is_first,
       CASE WHEN word IN ('stored', 'unaccounted') AND nth_of_word > 1 THEN 'duplicate' ELSE word END
         AS fate,
       CASE WHEN nth_of_event = 1 THEN greatest(coalesce(rows, 0) - 1, 0) ELSE 0 END
         AS duplicate_rows,
       nth_of_event = 1 AND coalesce(is_altered, false) AS is_altered,
       word = 'rejected' AND rows IS NOT NULL
         AND (NOT is_valid
              OR CASE reason WHEN 'conflict' THEN false
                             WHEN 'over-quota' THEN event_id IS NULL
                             ELSE true END) AS is_both,
       CASE
         WHEN word = 'rejected' AND is_valid AND reason = 'over-quota' THEN false
         WHEN word = 'rejected' AND is_valid AND rows IS NULL THEN true
         WHEN word = 'rejected' AND is_valid AND reason = 'conflict' THEN NOT is_contested
         WHEN word = 'stored' AND nth_of_word = 1 AND is_valid THEN NOT is_under_key
         WHEN word = 'stored' AND nth_of_word = 1 THEN NOT is_stored
         ELSE false
       END AS is_wrong
FROM numbered`

export const COUNT_BY_CLIENT = `
SELECT client_id AS "clientId", count(*)::int AS sent,
       count(*) FILTER (WHERE is_first)::int AS events,
       count(*) FILTER (WHERE fate = 'stored')::int AS stored,
       count(*) FILTER (WHERE fate = 'duplicate')::int AS duplicates,
       count(*) FILTER (WHERE fate = 'rejected')::int AS rejected,
       count(*) FILTER (WHERE fate = 'unaccounted')::int AS unaccounted,
       sum(duplicate_rows)::int AS "duplicateRows",
       count(*) FILTER (WHERE is_altered)::int AS altered,
       count(*) FILTER (WHERE is_both)::int AS both,
       count(*) FILTER (WHERE is_wrong)::int AS wrong
FROM fate GROUP BY client_id ORDER BY client_id`

export const COUNT_BY_REASON = `
SELECT client_id AS "clientId", reason, count(*)::int AS sends
FROM fate WHERE fate = 'rejected' GROUP BY client_id, reason ORDER BY client_id, reason`

/** A few sends per kind of fault, to begin an investigation with. */
export const LIST_EXAMPLES = `
SELECT fault, client_id AS "clientId", queue_message_id AS "queueMessageId", key AS "messageId"
FROM (
  SELECT v.fault, fate.*, row_number() OVER (PARTITION BY v.fault ORDER BY queue_message_id) AS nth
  FROM fate CROSS JOIN LATERAL (VALUES
    ('unaccounted', fate = 'unaccounted'), ('duplicateRows', duplicate_rows > 0),
    ('altered', is_altered), ('both', is_both), ('wrong', is_wrong)
  ) AS v (fault, applies)
  WHERE v.applies
) AS example
WHERE nth <= 5 ORDER BY fault, nth`

/** How many rows the tables have, and how many of them this ledger does not list. */
export const COUNT_ROWS = `
SELECT m.rows::int AS "messageRows", r.rows::int AS "rejectionRows",
       (m.rows - (SELECT count(*) FROM (SELECT DISTINCT client_id, message_id FROM held) AS known)
         )::int AS "unlistedMessages",
       (r.rows - (SELECT count(*) FROM rejection JOIN sent ON sent.queue_message_id = ${ORIGIN})
         )::int AS "unlistedRejections"
FROM (SELECT count(*) AS rows FROM message) AS m, (SELECT count(*) AS rows FROM rejection) AS r`
