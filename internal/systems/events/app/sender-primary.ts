/**
 * The sender's primary: finds the database, migrates, forks the workers, answers
 * /metrics, /livez and /readyz.
 *
 * /livez stays 200 until the process ends; /readyz is 200 while the database answers and
 * a worker has no step that fails.
 */
import cluster from 'node:cluster'
import type pg from 'pg'
import { startHealthServer } from '../../../engine/cluster/health.js'
import { Readiness } from '../../../engine/cluster/readiness.js'
import { retryUntilDone } from '../../../engine/cluster/retry-until.js'
import { Supervisor } from '../../../engine/cluster/supervisor.js'
import { WORKER_EXEC_ARGS, workerMalloc } from '../../../engine/cluster/worker-memory.js'
import { toWorkerProcess } from '../../../engine/cluster/worker-process.js'
import { installLanes } from '../../../engine/dispatch/pg-boss-lanes.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import { untilAborted } from '../../../engine/lifecycle/interrupt.js'
import type { Service } from '../../../engine/lifecycle/service.js'
import { createLog, type Log } from '../../../engine/observe/log.js'
import { migrate } from '../../../engine/postgres/migrate.js'
import { createPostgresPool } from '../../../engine/postgres/pool.js'
import type { SenderConfig } from '../config/config.js'
import { createPostgresDeliveries } from '../delivery/store/postgres-deliveries.js'
import { createSenderPrimaryMetrics, type SenderPrimaryMetrics } from '../observe/sender-metrics.js'
import { openKeyRing } from './key-ring.js'
import type { SenderReport, SenderStatus } from './sender-protocol.js'
import { type DatabaseService, findDatabase } from './services.js'

const READ_BACKLOG_EVERY_MS = 10_000
/**
 * Counting a backlog of a million takes most of a second: it is never more than a
 * twentieth of the database's time.
 */
const READ_BACKLOG_SHARE = 20

export function createSenderPrimary(config: SenderConfig): Service {
  const log = createLog('sender', config.log, process.stdout.isTTY)
  return { run: signal => run(config, log, signal) }
}

async function run(config: SenderConfig, log: Log, signal: AbortSignal): Promise<void> {
  const metrics = createSenderPrimaryMetrics()
  const readiness = new Readiness<SenderStatus>(clock, ({ problems }) =>
    problems.length === 0 ? null : problems.join('; ')
  )
  const server = await startHealthServer({
    ...config.metrics,
    portSetting: 'SENDER_METRICS_PORT',
    metrics: metrics.metrics,
    readiness,
    log
  })
  let services: DatabaseService | null = null
  let pool: pg.Pool | null = null
  try {
    services = await findDatabase(config.services)
    // Made, or found wanting, before a worker needs it.
    openKeyRing(config)
    pool = createPostgresPool({
      connectionString: services.dbConnection,
      ...config.db,
      application: 'sender'
    })
    await supervise(config, log, signal, services, pool, metrics, readiness)
  } finally {
    await pool?.end()
    await services?.stop()
    await server.close()
    log.info('stopped')
  }
}

async function supervise(
  config: SenderConfig,
  log: Log,
  signal: AbortSignal,
  services: DatabaseService,
  pool: pg.Pool,
  { metrics, read }: SenderPrimaryMetrics,
  readiness: Readiness<SenderStatus>
): Promise<void> {
  const patience = { clock, random: Math.random, signal, log }
  readiness.reason = 'migrating the database'
  const prepare = () => migrate(services.dbConnection).then(() => installLanes(pool))
  await retryUntilDone('migrate the database', prepare, patience)
  if (signal.aborted) return
  const deliveries = createPostgresDeliveries(pool, () => Promise.resolve())
  readiness.watch(() => pool.query('SELECT FROM sender_cursor').then(() => undefined))

  cluster.setupPrimary({ execArgv: [...process.execArgv, ...WORKER_EXEC_ARGS] })
  const env = workerMalloc(process.env)
  const supervisor = new Supervisor({
    workers: config.workers,
    clock,
    random: Math.random,
    fork: () => {
      const worker = cluster.fork(env)
      worker.on('message', (report: SenderReport) => {
        supervisor.heard(worker.id)
        metrics.reports.reported(worker.id, report.metrics)
        readiness.reported(worker.id, report.status)
      })
      return toWorkerProcess(worker)
    },
    onStarted: worker => log.info({ worker: worker.pid }, 'worker started'),
    onSilent: (worker, silentMs) =>
      log.error(
        { worker: worker.pid, silentMs: Math.round(silentMs) },
        'worker does not report any more; ending it'
      ),
    onExited: async (worker, how, restartInMs) => {
      readiness.forget(worker.id)
      if (restartInMs !== null) {
        metrics.reports.restarted()
        log.error(
          { worker: worker.pid, how, restartInMs: Math.round(restartInMs) },
          'worker died; starting another'
        )
      }
      await metrics.reports.retire(worker.id)
    }
  })
  let cancelRead = (): void => undefined
  const readBacklog = async (): Promise<void> => {
    const startedMs = clock.monotonicMs()
    await deliveries.backlog().then(
      backlog => read(backlog),
      (error: unknown) => log.debug({ reason: String(error) }, 'backlog not read')
    )
    const tookMs = clock.monotonicMs() - startedMs
    if (!signal.aborted)
      cancelRead = clock.after(
        Math.max(READ_BACKLOG_EVERY_MS, tookMs * READ_BACKLOG_SHARE),
        () => void readBacklog()
      )
  }
  void readBacklog()
  await untilAborted(signal)
  cancelRead()
  readiness.reason = 'draining'
  log.info(
    { withinMs: config.shutdownTimeoutMs },
    'stopping: no more attempts, waiting for those under way'
  )
  await supervisor.stop(config.shutdownTimeoutMs)
}
