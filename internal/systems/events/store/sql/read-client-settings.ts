import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { ClientSetting } from '../client-settings.js'

const READ = `
SELECT name AS client, weight, max_events_per_s AS "maxEventsPerS",
       max_bytes_per_s AS "maxBytesPerS", over_quota AS "overQuota"
FROM client
WHERE weight <> 1 OR max_events_per_s IS NOT NULL OR max_bytes_per_s IS NOT NULL
ORDER BY name`

/** The clients whose settings differ from the defaults. */
export async function readClientSettings(db: Queryable): Promise<readonly ClientSetting[]> {
  return (await db.query<ClientSetting>(READ)).rows
}
