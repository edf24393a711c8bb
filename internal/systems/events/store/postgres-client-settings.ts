/**
 * Reads the settings of clients (table `client`), and how many processors share the
 * quotas.
 *
 * Each processor keeps a session open under one name in `pg_stat_activity`, and these
 * sessions are counted. So the number is right across machines, and a dead processor
 * disappears with its session. The same session is notified of changes.
 *
 * Errors  the driver's: the caller keeps its last values and reads again.
 */

import { createListener } from '../../../engine/postgres/listener.js'
import type { ClientSettingsSource } from './client-settings.js'
import { countSessions } from './sql/count-sessions.js'
import { readClientNames } from './sql/read-client-names.js'
import { readClientSettings } from './sql/read-client-settings.js'

const APPLICATION_NAME = 'event-process clients'

/** A new processor notifies the others, because they now share with one more. */
const LISTEN = 'LISTEN client; NOTIFY client'

export interface ClientSettingsOptions {
  readonly connectionString: string
  /**
   * Time to read: the table has changed, a processor has started, or the connection is
   * lost.
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
