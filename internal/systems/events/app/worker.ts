/**
 * One worker: queue → intake → store, with its reports to the primary.
 *
 * It begins to receive once the database takes writes, and ends when it is told to or
 * when its primary is gone.
 */

import { tellPrimary } from '../../../engine/cluster/ipc.js'
import { retryUntilDone } from '../../../engine/cluster/retry-until.js'
import { createWorkerStop, endOrphan } from '../../../engine/cluster/worker-stop.js'
import { Intake } from '../../../engine/intake/intake.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import { untilAborted } from '../../../engine/lifecycle/interrupt.js'
import type { Service } from '../../../engine/lifecycle/service.js'
import { createLog } from '../../../engine/observe/log.js'
import { createSqsClient } from '../../../engine/queue/sqs/client.js'
import { openQueue } from '../../../engine/queue/sqs/provision.js'
import { createSqsQueue } from '../../../engine/queue/sqs/queue.js'
import { createSqsWriter } from '../../../engine/queue/sqs/writer.js'
import { type ProcessorConfig } from '../config/config.js'
import { createDecoder } from '../event/decode.js'
import { ClientMetrics } from '../observe/client-metrics.js'
import { createIntakeEvents } from '../observe/intake-events.js'
import { createShadowEvents } from '../observe/shadow-events.js'
import { createWorkerMetrics } from '../observe/worker-metrics.js'
import { createPostgresStore } from '../store/postgres.js'
import { createClientRules } from './client-rules.js'
import type { PrimaryMessage, WorkerMessage } from './protocol.js'
import { followSchemas } from './schemas.js'
import { openServices } from './services.js'

const REPORT_EVERY_MS = 1_000
/** A batch this large says that more is coming: the next one may wait for it. */
const BUSY_MESSAGES = 100
const SETTLE = { settleConcurrency: 8, settleLingerMs: 10 }
/**
 * What is left of the shutdown budget for giving messages back and closing connections.
 */
const CLOSING_MS = 1_500

export function createWorker(config: ProcessorConfig): Service {
  const log = createLog(`worker ${process.pid}`, config.log, process.stdout.isTTY)
  return { run: signal => run(config, log, signal) }
}

async function run(
  config: ProcessorConfig,
  log: ReturnType<typeof createLog>,
  signal: AbortSignal
): Promise<void> {
  const stop = createWorkerStop(signal, config.shutdownTimeoutMs, () => endOrphan(log))
  const deaths = new Map<string, number>()
  const clients = createClientRules()
  const clientMetrics = new ClientMetrics()
  process.on('message', (message: PrimaryMessage) => {
    if (message.kind === 'stop') stop.stop()
    else if (message.kind === 'death') deaths.set(message.messageId, message.deaths)
    else {
      clients.replace(message.rules)
      clientMetrics.label(message.rules.labels)
    }
  })

  const services = await openServices(config.services, line => log.info(line))
  const sqs = createSqsClient({
    ...services.aws,
    maxSockets: config.pollers + SETTLE.settleConcurrency + 4,
    transport: config.queue.transport
  })
  const store = createPostgresStore({ connectionString: services.dbConnection, ...config.db })
  const metrics = createWorkerMetrics(clientMetrics)
  const events = createIntakeEvents({ log, clock, metrics, send })
  const shadowEvents = createShadowEvents({ log, sums: events.sums })
  try {
    const untilReady = { clock, random: Math.random, signal: stop.signal }
    const opened = await retryUntilDone('open the queue', () => openQueue(sqs, config.queue), {
      ...untilReady,
      log
    })
    await retryUntilDone('reach the database', () => store.probe(), { ...untilReady, log })
    if (opened === null) return
    const schemas = await followSchemas({
      connectionString: services.dbConnection,
      clock,
      log,
      signal: stop.signal
    })
    const queue = createSqsQueue({
      sqs,
      queueUrl: opened.queueUrl,
      pollers: config.pollers,
      visibilityTimeoutS: config.queue.visibilityTimeoutS,
      waitTimeS: config.queue.waitTimeS,
      clock
    })
    if (stop.signal.aborted) return
    const intake = new Intake({
      queue,
      writer: createSqsWriter({ sqs, queueUrl: opened.queueUrl, clock }),
      store,
      decode: createDecoder({ payloadSchemas: schemas, onShadow: shadowEvents.checked }),
      clients,
      clock,
      random: Math.random,
      limits: {
        batch: { ...config.batch, busyMessages: BUSY_MESSAGES },
        maxInFlightMessages: config.maxInFlightMessages,
        maxInFlightBytes: config.maxInFlightBytes,
        visibilityTimeoutS: config.queue.visibilityTimeoutS,
        ...SETTLE
      },
      journal: events.journal,
      suspectRecord: {
        examining: messageId => send({ kind: 'examining', messageId }),
        deaths: messageId => deaths.get(messageId) ?? 0
      },
      observer: events.observer
    })
    log.info({ pollers: config.pollers }, 'receiving')
    const stopReports = startReports(intake)
    await untilAborted(stop.signal)
    log.info({ inFlight: intake.status.inFlight }, 'draining')
    await intake.stop(Math.max(config.shutdownTimeoutMs - CLOSING_MS, 0))
    stopReports()
    await report(intake)
    log.info({ inFlight: intake.status.inFlight }, 'drained')
  } finally {
    metrics.close()
    sqs.destroy()
    await store.close()
  }

  function startReports(intake: Intake): () => void {
    let cancel = clock.after(REPORT_EVERY_MS, tick)
    function tick(): void {
      events.logSummary()
      shadowEvents.logSummary()
      void report(intake)
      cancel = clock.after(REPORT_EVERY_MS, tick)
    }
    return () => cancel()
  }

  async function report(intake: Intake): Promise<void> {
    const { isGateOpen, gateReasons, sinceReceiveMs, receiveProblem } = intake.status
    await send({
      kind: 'report',
      counts: events.sums.counts,
      metrics: await metrics.snapshot(intake.status),
      status: { isReceiving: isGateOpen, gateReasons, sinceReceiveMs, receiveProblem }
    })
  }
}

const send = (message: WorkerMessage): Promise<void> => tellPrimary(message)
