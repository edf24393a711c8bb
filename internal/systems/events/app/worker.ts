/**
 * One worker of the processor: queue → intake → store. It starts to receive once the
 * database takes writes.
 */

import { createSuspectRecord, type HeardSuspects } from '../../../engine/cluster/intake-reporter.js'
import { workOf } from '../../../engine/cluster/intake-work.js'
import { tellPrimary } from '../../../engine/cluster/ipc.js'
import type { ReceiveStatus } from '../../../engine/cluster/receive-problem.js'
import type { Opening } from '../../../engine/cluster/run-cluster.js'
import { runWorker, type WorkerParts } from '../../../engine/cluster/run-worker.js'
import { Intake } from '../../../engine/intake/intake.js'
import type { IntakeLimits } from '../../../engine/intake/options.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import { openServices } from '../../../engine/program/services.js'
import { createSqsClient } from '../../../engine/queue/sqs/client.js'
import { openQueue } from '../../../engine/queue/sqs/provision.js'
import { createSqsQueue } from '../../../engine/queue/sqs/queue.js'
import { createSqsWriter } from '../../../engine/queue/sqs/writer.js'
import { type ProcessorConfig } from '../config/config.js'
import { createDecoder } from '../event/decode.js'
import { clientOf } from '../event/event.js'
import { ClientMetrics } from '../observe/client-metrics.js'
import { createIntakeEvents } from '../observe/intake-events.js'
import { createShadowEvents } from '../observe/shadow-events.js'
import { createWorkerMetrics } from '../observe/worker-metrics.js'
import { QuotaGate } from '../quota/quota-gate.js'
import { createEventStore } from '../store/postgres.js'
import { refuseUnstorable } from '../store/refusal.js'
import { createClientRules, type WorkerClientRules } from './client-rules.js'
import type { PrimaryMessage } from './protocol.js'
import { followSchemas } from './schemas.js'

/** After a batch this large more is likely to come, so the next one may wait to fill. */
const BUSY_MESSAGES = 100
const SETTLE = { settleConcurrency: 8, settleLingerMs: 10 }

/** What the primary has sent this worker. */
interface Told {
  readonly suspectRecord: HeardSuspects
  readonly clients: WorkerClientRules
  readonly clientMetrics: ClientMetrics
}

export function runProcessorWorker(config: ProcessorConfig, signal: AbortSignal): Promise<void> {
  const told: Told = {
    suspectRecord: createSuspectRecord(tellPrimary),
    clients: createClientRules(),
    clientMetrics: new ClientMetrics()
  }
  return runWorker(
    {
      name: 'worker',
      config,
      clock,
      hear: (message: PrimaryMessage) => hear(told, message),
      open: opening => openWorker(config, told, opening)
    },
    signal
  )
}

function hear({ suspectRecord, clients, clientMetrics }: Told, message: PrimaryMessage): void {
  if (message.kind === 'death') suspectRecord.hear(message)
  else {
    clients.replace(message.rules)
    clientMetrics.label(message.rules.labels)
  }
}

async function openWorker(
  config: ProcessorConfig,
  { suspectRecord, clients, clientMetrics }: Told,
  { log, signal, retry, closeLater }: Opening
): Promise<WorkerParts<ReceiveStatus> | null> {
  const services = await openServices(config.services, line => log.info(line))
  const store = createEventStore({ connectionString: services.dbConnection, ...config.db })
  closeLater(() => store.close())
  const sqs = createSqsClient({
    ...services.aws,
    maxSockets: config.pollers + SETTLE.settleConcurrency + 4,
    transport: config.queue.transport
  })
  closeLater(() => sqs.destroy())
  const metrics = createWorkerMetrics(clientMetrics)
  closeLater(() => metrics.close())
  const events = createIntakeEvents({ log, clock, metrics, send: tellPrimary })
  const shadowEvents = createShadowEvents({ log, sums: events.sums })

  const opened = await retry('open the queue', () => openQueue(sqs, config.queue))
  await retry('reach the database', () => store.probe())
  if (opened === null) return null
  const schemas = await followSchemas({
    connectionString: services.dbConnection,
    clock,
    log,
    signal
  })
  const queue = createSqsQueue({
    sqs,
    queueUrl: opened.queueUrl,
    pollers: config.pollers,
    visibilityTimeoutS: config.queue.visibilityTimeoutS,
    waitTimeS: config.queue.waitTimeS,
    clock
  })
  if (signal.aborted) return null
  const quota = {
    rules: clients,
    writer: createSqsWriter({ sqs, queueUrl: opened.queueUrl, clock }),
    clock,
    random: Math.random,
    observer: events.observer
  }
  const intake = new Intake({
    queue,
    decode: createDecoder({ payloadSchemas: schemas, onShadow: shadowEvents.checked }),
    admission: desk => new QuotaGate(quota, desk),
    turns: { lineOf: clientOf, weightOf: client => clients.weightOf(client) },
    store,
    refuse: refuseUnstorable,
    clock,
    random: Math.random,
    limits: limitsOf(config),
    journal: events.journal,
    suspectRecord,
    observer: events.observer
  })
  log.info({ pollers: config.pollers }, 'receiving')
  const logSummary = (): void => {
    events.logSummary()
    shadowEvents.logSummary()
  }
  return workOf({ intake, sums: events.sums, metrics, logSummary, log })
}

function limitsOf(config: ProcessorConfig): IntakeLimits {
  return {
    batch: { ...config.batch, busyMessages: BUSY_MESSAGES },
    maxInFlightMessages: config.maxInFlightMessages,
    maxInFlightBytes: config.maxInFlightBytes,
    ...SETTLE
  }
}
