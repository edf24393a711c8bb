/**
 * Reads what operators have set for clients (table `client`), and how many processors there are to share the quotas.
 *
 * A processor is counted by the session that asks: it stays open, under one name in `pg_stat_activity`, so that the number is right
 * over all machines and a dead one is forgotten with its session.
 *
 * Errors  the driver's: the caller keeps what it has and asks again.
 */
import pg from 'pg'
import type { ClientSetting, ClientSettingsSource } from './client-settings.js'

const APPLICATION_NAME = 'event-process clients'

const READ_SETTINGS = `
SELECT name AS client, weight, max_events_per_s AS "maxEventsPerS", max_bytes_per_s AS "maxBytesPerS", over_quota AS "overQuota"
FROM client WHERE weight <> 1 OR max_events_per_s IS NOT NULL OR max_bytes_per_s IS NOT NULL
ORDER BY name`

const COUNT_PROCESSORS = `
SELECT count(*)::int AS processors FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()`

const READ_NAMES = 'SELECT name FROM client ORDER BY name LIMIT $1'

export function createClientSettingsSource(connectionString: string): ClientSettingsSource {
  const pool = new pg.Pool({
    connectionString,
    max: 1,
    // The session is what the others count.
    idleTimeoutMillis: 0,
    query_timeout: 5_000,
    statement_timeout: 4_000,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    application_name: APPLICATION_NAME
  })
  // The next read opens another connection; until then what is set stays in force.
  pool.on('error', () => undefined)
  return {
    async read(atMost) {
      const { rows: settings } = await pool.query<ClientSetting>(READ_SETTINGS)
      const { rows: counts } = await pool.query<{ processors: number }>(COUNT_PROCESSORS, [APPLICATION_NAME])
      const { rows: names } = await pool.query<{ name: string }>(READ_NAMES, [atMost])
      const all = new Set([...settings.map(({ client }) => client), ...names.map(({ name }) => name)])
      return { settings, processors: Math.max(1, counts[0]?.processors ?? 1), names: [...all].slice(0, atMost) }
    },
    close: () => pool.end()
  }
}
