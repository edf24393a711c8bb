/** The columns of a version, without its text. */
export const SCHEMA_COLUMNS = `
  id, event_type AS "eventType", client AS "clientId", version, state, hash,
  created_at AS "createdAt", activated_at AS "activatedAt", activated_by AS "activatedBy",
  retired_at AS "retiredAt"`

/** $1 is the event type, $2 the client or null. */
export const IN_SCHEMA_PLACE = 'event_type = $1 AND client IS NOT DISTINCT FROM $2'
