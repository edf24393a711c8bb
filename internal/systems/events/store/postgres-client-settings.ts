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
import type { ClientSettingsSource } from './client-settings.js'
import { countSessions } from './sql/count-sessions.js'
import { readClientNames } from './sql/read-client-names.js'
import { readClientSettings } from './sql/read-client-settings.js'

const APPLICATION_NAME = 'event-process clients'

/** Who comes says so to the others: they share with one more from now on. */
const LISTEN = 'LISTEN client; NOTIFY client'

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
        const settings = await readClientSettings(client)
        const processors = await countSessions(client, APPLICATION_NAME)
        const names = await readClientNames(client, atMost)
        const all = new Set([...settings.map(({ client: name }) => name), ...names])
        return {
          settings,
          processors: Math.max(1, processors),
          names: [...all].slice(0, atMost)
        }
      }),
    close: () => listener.close()
  }
}
