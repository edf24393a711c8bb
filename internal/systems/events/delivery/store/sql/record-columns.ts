/** The columns of a delivery `d` that people see. */
export const DELIVERY_COLUMNS = `
  d.id::text AS id, d.endpoint_id AS "endpointId", d.fk_client_name AS client, d.message_id AS "messageId",
  (SELECT m.fk_event_type_name FROM message m
   WHERE m.fk_client_name = d.fk_client_name AND m.message_id = d.message_id) AS "eventType",
  d.state, d.dead_reason AS "deadReason", d.attempts,
  CASE WHEN d.state = 'pending' THEN nullif(greatest(d.next_attempt_at,
    (SELECT e.paused_until FROM endpoint e WHERE e.id = d.endpoint_id AND e.paused_until > now())
  ), '-infinity') END AS "nextAttemptAt",
  d.created_at AS "createdAt", d.finished_at AS "finishedAt"`

/** The columns of an attempt `a` that people see. */
export const ATTEMPT_COLUMNS = `
  a.delivery_id::text AS "deliveryId", a.attempt, a.started_at AS "startedAt", a.duration_ms AS "durationMs",
  a.status, a.error_class AS "errorClass", a.response`
