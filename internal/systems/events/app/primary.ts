/**
 * The processor's primary: migrates, opens the queue, keeps the workers' totals, and
 * sends the workers what operators set for clients.
 *
 * It is ready while the database takes writes, the queue answers and a worker receives.
 */
import { IntakeWatch, type IntakeWord } from '../../../engine/cluster/intake-watch.js'
import { createReceiveProblem } from '../../../engine/cluster/receive-problem.js'
import {
  type PrepareStep,
  type PrimaryOpening,
  type PrimaryParts,
  runCluster
} from '../../../engine/cluster/run-cluster.js'
import { type Store, StoreError } from '../../../engine/intake/store.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import { ExpectedError } from '../../../engine/lifecycle/service.js'
import type { Log } from '../../../engine/observe/log.js'
import { UNSAFE } from '../../../engine/postgres/durability.js'
import { openServices, type Services } from '../../../engine/program/services.js'
import { createSqsClient } from '../../../engine/queue/sqs/client.js'
import { openQueue } from '../../../engine/queue/sqs/provision.js'
import { type ProcessorConfig } from '../config/config.js'
import { MAX_CLIENT_LABELS } from '../observe/client-metrics.js'
import { createProcessorMetrics, type ProcessorMetrics } from '../observe/processor-metrics.js'
import { migrateEvents } from '../store/migrate.js'
import { createEventStore } from '../store/postgres.js'
import { followClientRules } from './client-rules.js'
import type { PrimaryMessage, RulesForWorkers } from './protocol.js'

export function runProcessorPrimary(config: ProcessorConfig, signal: AbortSignal): Promise<void> {
  const processorMetrics = createProcessorMetrics()
  return runCluster(
    {
      name: 'processor',
      config,
      clock,
      portSetting: 'METRICS_PORT',
      metrics: processorMetrics.metrics,
      problemOf: createReceiveProblem(config.queue.waitTimeS * 1_000),
      stopping: 'stopping: no more receives, committing what is in flight',
      open: opening => openPrimary(config, processorMetrics, opening)
    },
    signal
  )
}

async function openPrimary(
  config: ProcessorConfig,
  { metrics, label }: ProcessorMetrics,
  { log, signal, closeLater, tell }: PrimaryOpening<PrimaryMessage>
): Promise<PrimaryParts<PrimaryMessage, IntakeWord>> {
  const services = await openServices(config.services, line => log.info(line))
  closeLater(() => services.stop())
  const store = createEventStore({ connectionString: services.dbConnection, ...config.db })
  closeLater(() => store.close())
  const { transport } = config.queue
  const sqs = createSqsClient({ ...services.aws, maxSockets: 2, transport })
  closeLater(() => sqs.destroy())
  const watch = new IntakeWatch({ totals: metrics.totals, log, tell })
  let rules: RulesForWorkers = { settings: [], sharers: 1, labels: [] }
  const beginRules = (): void =>
    followClientRules({
      connectionString: services.dbConnection,
      workers: config.workers,
      maxLabels: MAX_CLIENT_LABELS,
      clock,
      log,
      signal,
      onChanged: changed => {
        rules = changed
        label(rules.labels)
        tell({ kind: 'clients', rules })
      }
    })
  return {
    prepare: [
      migrateDatabase(services, store, log),
      {
        doing: 'opening the queue',
        todo: 'open the queue',
        run: async () => {
          const { notes } = await openQueue(sqs, config.queue)
          for (const note of notes) log.warn(note)
        }
      }
    ],
    probe: () => store.probe(),
    workerEnv: workerEnvironment(config, services),
    begin: beginRules,
    greeting: () => [...watch.greeting, { kind: 'clients', rules }],
    hear: (workerId, word) => watch.hear(workerId, word),
    onExit: worker => watch.exited(worker),
    wasCommitted: tx => store.wasCommitted(tx)
  }
}

type Probed = Pick<Store<unknown>, 'probe'>

function migrateDatabase({ dbConnection }: Services, store: Probed, log: Log): PrepareStep {
  return {
    doing: 'migrating the database',
    todo: 'migrate the database',
    run: async () => {
      await endIfUnsafe(store)
      const { applied, notes } = await migrateEvents(dbConnection)
      if (applied.length > 0) log.info({ applied }, 'migrated')
      for (const note of notes) log.warn(note)
    }
  }
}

/**
 * Refuses to start on a server that may lose committed data: an operator must correct its
 * configuration. A server that becomes unsafe later makes the primary not ready, with the
 * reason. Other failures of the probe pass by themselves or are reported by /readyz.
 */
async function endIfUnsafe(store: Probed): Promise<void> {
  await store.probe().catch((error: unknown) => {
    if (error instanceof StoreError && error.code === UNSAFE) throw new ExpectedError(error.message)
  })
}

/**
 * The emulator keeps a long poll whose connection is dead, and hands it messages. Short
 * polls limit for how long.
 */
const EMBEDDED_WAIT_TIME_S = 2

/** Workers use the services that the primary opened; embedded ones start only once. */
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
