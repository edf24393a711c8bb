import type { Queryable } from '../../../../engine/postgres/queryable.js'

const READ = `
SELECT coalesce(string_agg(concat_ws(' ', id, state), ',' ORDER BY id), '') AS fingerprint
FROM event_schema WHERE state <> 'retired'`

/**
 * Tells cheaply whether anything has changed: what a version says never does, so the
 * schemas themselves stay on the server.
 */
export async function readSchemaFingerprint(db: Queryable): Promise<string> {
  return (await db.query<{ fingerprint: string }>(READ)).rows[0]?.fingerprint ?? ''
}
