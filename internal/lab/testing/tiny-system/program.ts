/**
 * The tiny system as a program: a primary, and workers whose intakes take readings from a
 * queue on SQS to PostgreSQL. Queue and tables already exist.
 */
import cluster from 'node:cluster'
import {
  countDispositions,
  createCommitJournal,
  createSuspectRecord
} from '../../../engine/cluster/intake-reporter.js'
import {
  type DeathWord,
  IntakeWatch,
  type IntakeWord
} from '../../../engine/cluster/intake-watch.js'
import { workOf } from '../../../engine/cluster/intake-work.js'
import { tellPrimary } from '../../../engine/cluster/ipc.js'
import {
  createReceiveProblem,
  type ReceiveStatus
} from '../../../engine/cluster/receive-problem.js'
import {
  type ClusterConfig,
  type Opening,
  type PrimaryOpening,
  type PrimaryParts,
  runCluster
} from '../../../engine/cluster/run-cluster.js'
import { runWorker, type WorkerParts } from '../../../engine/cluster/run-worker.js'
import { admitAll } from '../../../engine/intake/admission.js'
import { Intake } from '../../../engine/intake/intake.js'
import { oneLine } from '../../../engine/intake/turns.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import { main } from '../../../engine/lifecycle/main.js'
import { CounterSums } from '../../../engine/observe/counters.js'
import { Metrics } from '../../../engine/observe/metrics.js'
import { createSqsClient } from '../../../engine/queue/sqs/client.js'
import { createSqsQueue } from '../../../engine/queue/sqs/queue.js'
import { SILENT_INTAKE } from '../silent-intake.js'
import { TEST_CREDENTIALS, TEST_REGION, TEST_TRANSPORT } from '../sqs.js'
import { decodeReading, READING_REASONS, type Reading, refuseReading } from './reading.js'
import { createReadingStore } from './reading-store.js'

const COUNTERS = {
  received: { help: 'Messages received' },
  stored: { help: 'Readings that became a row' },
  duplicate: { help: 'Readings that were there already' },
  rejected: { help: 'Readings that are refused', label: 'reason', values: READING_REASONS }
}
const WAIT_TIME_S = 1
const { DB_CONNECTION = '', AWS_ENDPOINT = '', QUEUE_URL = '' } = process.env
const config: ClusterConfig = {
  workers: 2,
  shutdownTimeoutMs: 10_000,
  log: { level: 'info', format: 'json' },
  metrics: { host: '127.0.0.1', port: 0 }
}

const openStore = () =>
  createReadingStore({
    connectionString: DB_CONNECTION,
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 5_000,
    idleInTransactionTimeoutMs: 10_000,
    queryDeadlineMs: 15_000,
    requireDurability: false
  })

async function openPrimary(
  { totals }: Metrics,
  { log, closeLater, tell }: PrimaryOpening<DeathWord>
): Promise<PrimaryParts<DeathWord, IntakeWord>> {
  const store = openStore()
  closeLater(() => store.close())
  const watch = new IntakeWatch({ totals, log, tell })
  return {
    prepare: [
      { doing: 'reaching the database', todo: 'reach the database', run: () => store.probe() }
    ],
    probe: () => store.probe(),
    greeting: () => watch.greeting,
    hear: (workerId, word) => watch.hear(workerId, word),
    onExit: worker => watch.exited(worker),
    wasCommitted: tx => store.wasCommitted(tx)
  }
}

const suspectRecord = createSuspectRecord(tellPrimary)

async function openWorker({ log, closeLater }: Opening): Promise<WorkerParts<ReceiveStatus>> {
  const store = openStore()
  closeLater(() => store.close())
  const sqs = createSqsClient({
    region: TEST_REGION,
    endpoint: AWS_ENDPOINT,
    credentials: TEST_CREDENTIALS,
    maxSockets: 10,
    transport: TEST_TRANSPORT
  })
  closeLater(() => sqs.destroy())
  const sums = new CounterSums()
  const intake = new Intake<Reading>({
    queue: createSqsQueue({
      sqs,
      queueUrl: QUEUE_URL,
      pollers: 2,
      visibilityTimeoutS: 2,
      waitTimeS: WAIT_TIME_S,
      clock
    }),
    decode: decodeReading,
    admission: admitAll,
    turns: oneLine,
    store,
    refuse: refuseReading,
    clock,
    random: Math.random,
    limits: {
      batch: { maxMessages: 20, maxBytes: 1_000_000, lingerMs: 5, busyMessages: 100 },
      maxInFlightMessages: 100,
      maxInFlightBytes: 10_000_000,
      settleConcurrency: 4,
      settleLingerMs: 5
    },
    journal: createCommitJournal({
      sums,
      countsOf: countDispositions,
      send: tellPrimary
    }),
    suspectRecord,
    observer: { ...SILENT_INTAKE, received: messages => sums.add('received', messages.length) }
  })
  const metrics = { snapshot: () => Promise.resolve([]) }
  return workOf({ intake, sums, metrics, logSummary: () => undefined, log })
}

function runPrimary(signal: AbortSignal): Promise<void> {
  const metrics = new Metrics('tiny_', COUNTERS)
  return runCluster(
    {
      name: 'readings',
      config,
      clock,
      portSetting: 'TINY_METRICS_PORT',
      metrics,
      problemOf: createReceiveProblem(WAIT_TIME_S * 1_000),
      stopping: 'stopping',
      open: opening => openPrimary(metrics, opening)
    },
    signal
  )
}

function runReader(signal: AbortSignal): Promise<void> {
  const hear = (word: DeathWord): void => suspectRecord.hear(word)
  return runWorker({ name: 'reader', config, clock, hear, open: openWorker }, signal)
}

await main(async () => ({ run: cluster.isPrimary ? runPrimary : runReader }))
