/**
 * Reads what operators have set for clients (table `client`), and how many processors
 * there are to share the quotas.
 *
 * A processor is counted by the session that asks: it stays open, under one name in
 * `pg_stat_activity`, so that the number is right over all machines and a dead one is
 * forgotten with its session. The same session hears of changes at once.
 *
 * Errors  the driver's: the caller keeps what it has and asks again.
 */

import { createListener } from '../../../engine/postgres/listener.js'
import type { ClientSetting, ClientSettingsSource } from './client-settings.js'

const APPLICATION_NAME = 'event-process clients'

/** Who comes says so to the others: they share with one more from now on. */
const LISTEN = 'LISTEN client; NOTIFY client'

const READ_SETTINGS = `
SELECT name AS client, weight, max_events_per_s AS "maxEventsPerS", max_bytes_per_s AS "maxBytesPerS", over_quota AS "overQuota"
FROM client WHERE weight <> 1 OR max_events_per_s IS NOT NULL OR max_bytes_per_s IS NOT NULL
ORDER BY name`

const COUNT_PROCESSORS = `
SELECT count(*)::int AS processors FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()`

const READ_NAMES = 'SELECT name FROM client ORDER BY name LIMIT $1'

export interface ClientSettingsOptions {
  readonly connectionString: string
  /**
   * The table has changed, another processor has come, or the connection is lost: time to
   * read.
   */
  readonly onNews: () => void
}

export function createClientSettingsSource({
  connectionString,
  onNews
}: ClientSettingsOptions): ClientSettingsSource {
  const listener = createListener({
    connectionString,
    applicationName: APPLICATION_NAME,
    listen: LISTEN,
    onNews
  })
  return {
    read: atMost =>
      listener.read(async client => {
        const { rows: settings } = await client.query<ClientSetting>(READ_SETTINGS)
        const { rows: counts } = await client.query<{ processors: number }>(COUNT_PROCESSORS, [
          APPLICATION_NAME
        ])
        const { rows: names } = await client.query<{ name: string }>(READ_NAMES, [atMost])
        const all = new Set([
          ...settings.map(({ client: name }) => name),
          ...names.map(({ name }) => name)
        ])
        return {
          settings,
          processors: Math.max(1, counts[0]?.processors ?? 1),
          names: [...all].slice(0, atMost)
        }
      }),
    close: () => listener.close()
  }
}
