import type { Queryable } from '../../../../engine/postgres/queryable.js'
import type { NameRecord } from '../names.js'
import type { NameTable } from './name-table.js'

const LIST: Readonly<Record<NameTable, string>> = {
  client: `
SELECT name, disabled_at AS "disabledAt",
       (SELECT count(*)::int FROM event_schema s WHERE s.client = c.name AND s.state = 'active')
         AS "activeSchemas",
       ARRAY(SELECT role_name::text FROM client_reader r WHERE r.client = c.name ORDER BY role_name)
         AS readers,
       json_build_object('weight', weight, 'maxEventsPerS', max_events_per_s,
                         'maxBytesPerS', max_bytes_per_s, 'overQuota', over_quota) AS limits
FROM client c ORDER BY name`,
  event_type: `
SELECT name, disabled_at AS "disabledAt",
       (SELECT count(*)::int FROM event_schema s WHERE s.event_type = e.name AND s.state = 'active')
         AS "activeSchemas",
       ARRAY[]::text[] AS readers, NULL AS limits
FROM event_type e ORDER BY name`
}

export async function listNames(db: Queryable, table: NameTable): Promise<readonly NameRecord[]> {
  return (await db.query<NameRecord>(LIST[table])).rows
}
