/**
 * The sender's primary: migrates, and reads for /metrics what is owed.
 *
 * It is ready while the database answers and no step of a worker fails.
 */
import {
  type PrimaryOpening,
  type PrimaryParts,
  runCluster
} from '../../../engine/cluster/run-cluster.js'
import { installLanes } from '../../../engine/dispatch/pg-boss-lanes.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import { onAbort } from '../../../engine/lifecycle/interrupt.js'
import { createPostgresPool } from '../../../engine/postgres/pool.js'
import { findDatabase } from '../../../engine/program/services.js'
import type { SenderConfig } from '../config/config.js'
import { LANES_SCHEMA } from '../delivery/store/endpoint-lanes.js'
import { createPostgresDeliveries } from '../delivery/store/postgres-deliveries.js'
import { createSenderPrimaryMetrics, type SenderPrimaryMetrics } from '../observe/sender-metrics.js'
import { migrateEvents } from '../store/migrate.js'
import { SENDER_POOL } from '../store/pool-uses.js'
import { openKeyRing } from './key-ring.js'
import type { SenderStatus } from './sender-protocol.js'

const READ_BACKLOG_EVERY_MS = 10_000
/**
 * Counting a backlog of a million takes most of a second. This limits counting to a
 * twentieth of the time.
 */
const READ_BACKLOG_SHARE = 20

export function runSenderPrimary(config: SenderConfig, signal: AbortSignal): Promise<void> {
  const senderMetrics = createSenderPrimaryMetrics()
  return runCluster(
    {
      name: 'sender',
      config,
      clock,
      portSetting: 'SENDER_METRICS_PORT',
      metrics: senderMetrics.metrics,
      problemOf: ({ problems }: SenderStatus) =>
        problems.length === 0 ? null : problems.join('; '),
      stopping: 'stopping: no more attempts, waiting for those under way',
      open: opening => openPrimary(config, senderMetrics, opening)
    },
    signal
  )
}

async function openPrimary(
  config: SenderConfig,
  { read }: SenderPrimaryMetrics,
  { log, signal, closeLater }: PrimaryOpening<never>
): Promise<PrimaryParts<never, never>> {
  const services = await findDatabase(config.services)
  closeLater(() => services.stop())
  // A missing or bad key ends the program before a worker needs it.
  openKeyRing(config)
  const pool = createPostgresPool(
    { connectionString: services.dbConnection, ...config.db },
    SENDER_POOL
  )
  closeLater(() => pool.end())
  const deliveries = createPostgresDeliveries(pool, () => Promise.resolve())
  let cancelRead = (): void => undefined
  const readBacklog = async (): Promise<void> => {
    const startedMs = clock.monotonicMs()
    await deliveries
      .owed()
      .then(read, (error: unknown) => log.debug({ reason: String(error) }, 'backlog not read'))
    const tookMs = clock.monotonicMs() - startedMs
    const waitMs = Math.max(READ_BACKLOG_EVERY_MS, tookMs * READ_BACKLOG_SHARE)
    if (!signal.aborted) cancelRead = clock.after(waitMs, () => void readBacklog())
  }
  return {
    prepare: [
      {
        doing: 'migrating the database',
        todo: 'migrate the database',
        run: async () => {
          await migrateEvents(services.dbConnection)
          await installLanes(pool, LANES_SCHEMA)
        }
      }
    ],
    probe: () => pool.query('SELECT FROM sender_cursor').then(() => undefined),
    begin: () => {
      onAbort(signal, () => cancelRead())
      void readBacklog()
    }
  }
}
