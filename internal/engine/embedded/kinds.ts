/** The services that can be embedded, as a program asks for them. */
import { join } from 'node:path'
import pg from 'pg'
import { EmbeddedError } from './embedded-error.js'
import { startEmbeddedPostgres } from './postgres.js'
import { durableSettings } from './postgres-settings.js'
import type { EmbeddedService, RunningService } from './services.js'
import { startEmbeddedSqs } from './sqs.js'

export interface ServicePort {
  readonly port: number
  /** True if the user set it: then a taken port is an error, else another is used. */
  readonly isChosen: boolean
}

/** Long enough for a busy machine; where nothing listens, the refusal is immediate. */
const ANSWER_MS = 10_000

export function embeddedPostgres(database: string, wanted: ServicePort): EmbeddedService {
  const title = 'PostgreSQL'
  return {
    title,
    start: (dataDir, log) =>
      onPort(wanted, title, 'EMBEDDED_POSTGRES_PORT', log, async (port, portSetting) => {
        const settings = durableSettings
        const options = { dataDir, port, portSetting, database, settings, log }
        const { connectionString, ...server } = await startEmbeddedPostgres(options)
        return { address: connectionString, ...server }
      }),
    async answers({ address }) {
      const session = new pg.Client({
        connectionString: address,
        connectionTimeoutMillis: ANSWER_MS,
        query_timeout: ANSWER_MS
      })
      // A connection that breaks after its answer does not matter here.
      session.on('error', () => undefined)
      try {
        await session.connect()
        await session.query('SELECT 1')
        return true
      } catch {
        return false
      } finally {
        await session.end().catch(() => undefined)
      }
    }
  }
}

export function embeddedSqs(wanted: ServicePort): EmbeddedService {
  const title = 'SQS'
  return {
    title,
    start: (dataDir, log) =>
      onPort(wanted, title, 'EMBEDDED_SQS_PORT', log, async (port, portSetting) => {
        const options = { port, portSetting, log, dataDir: join(dataDir, 'sqs') }
        const { endpoint, ...server } = await startEmbeddedSqs(options)
        return { address: endpoint, ...server }
      }),
    async answers({ address }) {
      try {
        const response = await fetch(`${address}/_fauxqs/queues`, {
          signal: AbortSignal.timeout(ANSWER_MS)
        })
        await response.body?.cancel()
        return response.ok
      } catch {
        return false
      }
    }
  }
}

/** Starts on the wanted port; on any free one if our default is taken. */
async function onPort(
  wanted: ServicePort,
  title: string,
  setting: string,
  log: (line: string) => void,
  start: (port: number, setting: string) => Promise<RunningService>
): Promise<RunningService> {
  try {
    return await start(wanted.port, setting)
  } catch (error) {
    if (wanted.isChosen || !(error instanceof EmbeddedError) || error.code !== 'port-taken')
      throw error
    const service = await start(0, setting)
    log(
      `Port ${wanted.port} is already in use: embedded ${title} is on port ${service.port} (${setting} chooses it)`
    )
    return service
  }
}
