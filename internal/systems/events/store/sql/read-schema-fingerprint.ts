import type { Queryable } from '../../../../engine/postgres/queryable.js'

const READ = `
SELECT coalesce(string_agg(concat_ws(' ', id, state), ',' ORDER BY id), '') AS fingerprint
FROM event_schema WHERE state <> 'retired'`

/**
 * Shows cheaply whether anything has changed. The schema of a version never changes, so
 * the schemas themselves stay on the server.
 */
export async function readSchemaFingerprint(db: Queryable): Promise<string> {
  return (await db.query<{ fingerprint: string }>(READ)).rows[0]?.fingerprint ?? ''
}
