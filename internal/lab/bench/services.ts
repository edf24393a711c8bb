/**
 * The services of a bench: a durable PostgreSQL and a queue, each in a process of its
 * own, in a directory that is removed at the end.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbeddedPostgres } from '../../engine/embedded/postgres.js'
import { durableSettings } from '../../engine/embedded/postgres-settings.js'
import { startEmbeddedSqs } from '../../engine/embedded/sqs.js'
import { createSqsClient } from '../../engine/queue/sqs/client.js'
import { type AwsConfig, EMBEDDED_AWS } from '../../engine/queue/sqs/settings.js'
import { EMBEDDED_DATABASE } from '../../systems/base-config.js'
import { migrateEvents } from '../../systems/events/store/migrate.js'

export interface BenchServices {
  readonly aws: AwsConfig & { readonly endpoint: string }
  readonly dbConnection: string
  readonly postgresPid: number
  readonly queuePid: number
  /** For the bench's own statements. */
  readonly db: pg.Client
  /** For the bench's own calls. */
  readonly sqs: ReturnType<typeof createSqsClient>
  stop(): Promise<void>
}

const MAX_SOCKETS = 16

/**
 * All benches of a checkout share one directory, so that services which a killed bench
 * left running are found and ended.
 */
export async function startServices(
  directory: string,
  log: (line: string) => void
): Promise<BenchServices> {
  mkdirSync(directory, { recursive: true })
  const postgres = await startEmbeddedPostgres({
    dataDir: directory,
    port: 0,
    database: EMBEDDED_DATABASE,
    settings: durableSettings,
    log
  })
  try {
    // In memory: on disk the emulator would be the slowest part by far, and it is not
    // what is measured.
    const queue = await startEmbeddedSqs({ port: 0, log })
    const db = new pg.Client({
      connectionString: postgres.connectionString,
      application_name: 'event-process bench'
    })
    const aws = { ...EMBEDDED_AWS, endpoint: queue.endpoint }
    const sqs = createSqsClient({ ...aws, maxSockets: MAX_SOCKETS })
    const stop = async (): Promise<void> => {
      sqs.destroy()
      await db.end()
      await Promise.all([queue.stop(), postgres.stop()])
      for (const name of ['postgres', 'postgres.log'])
        rmSync(join(directory, name), { recursive: true, force: true })
    }
    try {
      await db.connect()
      await migrateEvents(postgres.connectionString)
      return {
        aws,
        dbConnection: postgres.connectionString,
        postgresPid: postgres.pid,
        queuePid: queue.pid,
        db,
        sqs,
        stop
      }
    } catch (error) {
      await stop()
      throw error
    }
  } catch (error) {
    await postgres.stop()
    throw error
  }
}
