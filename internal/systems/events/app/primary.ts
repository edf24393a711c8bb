/**
 * The primary: opens the services, migrates, forks the workers, keeps their totals,
 * answers /metrics, /livez and /readyz.
 *
 * /livez stays 200 until the process ends; /readyz is 200 while the database takes
 * writes, the queue answers and a worker receives.
 */
import cluster from 'node:cluster'
import { Deaths } from '../../../engine/cluster/deaths.js'
import { startHealthServer } from '../../../engine/cluster/health.js'
import { Readiness } from '../../../engine/cluster/readiness.js'
import { retryUntilDone } from '../../../engine/cluster/retry-until.js'
import { Supervisor } from '../../../engine/cluster/supervisor.js'
import { WORKER_EXEC_ARGS, workerMalloc } from '../../../engine/cluster/worker-memory.js'
import { toWorkerProcess } from '../../../engine/cluster/worker-process.js'
import { type Store, StoreError } from '../../../engine/intake/store.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import { untilAborted } from '../../../engine/lifecycle/interrupt.js'
import { ExpectedError, type Service } from '../../../engine/lifecycle/service.js'
import { createLog, type Log } from '../../../engine/observe/log.js'
import { UNSAFE } from '../../../engine/postgres/durability.js'
import { migrate } from '../../../engine/postgres/migrate.js'
import { createSqsClient } from '../../../engine/queue/sqs/client.js'
import { openQueue } from '../../../engine/queue/sqs/provision.js'
import { type ProcessorConfig } from '../config/config.js'
import { MAX_CLIENT_LABELS } from '../observe/client-metrics.js'
import { createProcessorMetrics, type ProcessorMetrics } from '../observe/processor-metrics.js'
import { createPostgresStore } from '../store/postgres.js'
import { followClientRules } from './client-rules.js'
import type { RulesForWorkers, WorkerMessage, WorkerStatus } from './protocol.js'
import { createReceiveProblem } from './receive-problem.js'
import { openServices, type Services } from './services.js'

export function createPrimary(config: ProcessorConfig): Service {
  const log = createLog('processor', config.log, process.stdout.isTTY)
  return { run: signal => run(config, log, signal) }
}

async function run(config: ProcessorConfig, log: Log, signal: AbortSignal): Promise<void> {
  const metrics = createProcessorMetrics()
  const readiness = new Readiness(clock, createReceiveProblem(config.queue.waitTimeS * 1_000))
  const server = await startHealthServer({
    ...config.metrics,
    portSetting: 'METRICS_PORT',
    metrics: metrics.metrics,
    readiness,
    log
  })
  let services: Services | null = null
  try {
    services = await openServices(config.services, line => log.info(line))
    await supervise(config, log, signal, services, metrics, readiness)
  } finally {
    await services?.stop()
    await server.close()
    log.info('stopped')
  }
}

async function supervise(
  config: ProcessorConfig,
  log: Log,
  signal: AbortSignal,
  services: Services,
  { metrics, label }: ProcessorMetrics,
  readiness: Readiness<WorkerStatus>
): Promise<void> {
  const patience = { clock, random: Math.random, signal, log }
  const store = createPostgresStore({ connectionString: services.dbConnection, ...config.db })
  const sqs = createSqsClient({ ...services.aws, maxSockets: 2, transport: config.queue.transport })
  try {
    readiness.reason = 'migrating the database'
    const prepare = () => endIfUnsafe(store).then(() => migrate(services.dbConnection))
    const migrated = await retryUntilDone('migrate the database', prepare, patience)
    if (migrated !== null && migrated.applied.length > 0)
      log.info({ applied: migrated.applied }, 'migrated')
    for (const note of migrated?.notes ?? []) log.warn(note)
    readiness.reason = 'opening the queue'
    const queue = await retryUntilDone(
      'open the queue',
      () => openQueue(sqs, config.queue),
      patience
    )
    for (const note of queue?.notes ?? []) log.warn(note)
    if (signal.aborted) return
    readiness.watch(() => store.probe())

    cluster.setupPrimary({ execArgv: [...process.execArgv, ...WORKER_EXEC_ARGS] })
    const env = { ...workerMalloc(process.env), ...workerEnvironment(config, services) }
    const deaths = new Deaths()
    const { totals } = metrics
    let rules: RulesForWorkers = { settings: [], sharers: 1, labels: [] }
    const hear = (workerId: number, message: WorkerMessage): void => {
      switch (message.kind) {
        case 'committing':
          return totals.announced(workerId, message.tx, message.counts)
        case 'decided':
          return totals.decided(workerId, message.tx, message.counts)
        case 'examining':
          return deaths.examining(workerId, message.messageId)
        case 'report':
          supervisor.heard(workerId)
          totals.reported(workerId, message.counts)
          metrics.reports.reported(workerId, message.metrics)
          return readiness.reported(workerId, message.status)
      }
    }
    const supervisor = new Supervisor({
      workers: config.workers,
      clock,
      random: Math.random,
      fork: () => {
        const worker = cluster.fork(env)
        worker.on('message', (message: WorkerMessage) => hear(worker.id, message))
        return toWorkerProcess(worker)
      },
      onStarted: worker => {
        log.info({ worker: worker.pid }, 'worker started')
        for (const death of deaths.all) worker.send({ kind: 'death', ...death })
        worker.send({ kind: 'clients', rules })
      },
      onSilent: (worker, silentMs) =>
        log.error(
          { worker: worker.pid, silentMs: Math.round(silentMs) },
          'worker does not report any more; ending it'
        ),
      onExited: async (worker, how, restartInMs) => {
        readiness.forget(worker.id)
        const death = deaths.died(worker.id)
        if (death !== null) {
          log.error(
            { ...death, worker: worker.pid },
            'a worker died while it examined this message alone'
          )
          supervisor.tell({ kind: 'death', ...death })
        }
        if (restartInMs !== null) {
          metrics.reports.restarted()
          log.error(
            { worker: worker.pid, how, restartInMs: Math.round(restartInMs) },
            'worker died; starting another'
          )
        }
        await metrics.reports.retire(worker.id)
        await totals.retire(
          worker.id,
          async tx =>
            (await retryUntilDone(
              'learn a dead worker’s last outcome',
              () => store.wasCommitted(tx),
              patience
            )) ?? false
        )
      }
    })
    followClientRules({
      connectionString: services.dbConnection,
      workers: config.workers,
      maxLabels: MAX_CLIENT_LABELS,
      clock,
      log,
      signal,
      onChanged: changed => {
        rules = changed
        label(changed.labels)
        supervisor.tell({ kind: 'clients', rules })
      }
    })
    await untilAborted(signal)
    readiness.reason = 'draining'
    log.info(
      { withinMs: config.shutdownTimeoutMs },
      'stopping: no more receives, committing what is in flight'
    )
    await supervisor.stop(config.shutdownTimeoutMs)
  } finally {
    sqs.destroy()
    await store.close()
  }
}

/**
 * A server that may forget what it has committed is a configuration that somebody must
 * correct: better no start than one that seems well. One that becomes so later is not
 * ready, and says why. Whatever else a probe finds mends itself or is told by /readyz.
 */
async function endIfUnsafe(store: Store): Promise<void> {
  await store.probe().catch((error: unknown) => {
    if (error instanceof StoreError && error.code === UNSAFE) throw new ExpectedError(error.message)
  })
}

/**
 * The emulator goes on with a long poll whose connection is dead, and gives it messages:
 * short polls bound how long.
 */
const EMBEDDED_WAIT_TIME_S = 2

/**
 * Workers take the services that the primary opened: embedded ones are not started twice.
 */
function workerEnvironment(config: ProcessorConfig, services: Services): Record<string, string> {
  if (!services.isEmbedded) return {}
  const { region, endpoint = '', credentials } = services.aws
  return {
    DB_CONNECTION: services.dbConnection,
    QUEUE_NAME: config.queue.queueName,
    WAIT_TIME_S: String(Math.min(config.queue.waitTimeS, EMBEDDED_WAIT_TIME_S)),
    AWS_REGION: region,
    AWS_ENDPOINT: endpoint,
    AWS_ACCESS_KEY_ID: credentials?.accessKeyId ?? '',
    AWS_SECRET_ACCESS_KEY: credentials?.secretAccessKey ?? ''
  }
}
