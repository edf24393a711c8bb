/**
 * One worker of the sender: fan-out, lanes and attempts, with its reports to the primary.
 */

import { tellPrimary } from '../../../engine/cluster/ipc.js'
import { retryUntilDone } from '../../../engine/cluster/retry-until.js'
import { createWorkerStop, endOrphan } from '../../../engine/cluster/worker-stop.js'
import { openPgBossLanes } from '../../../engine/dispatch/pg-boss-lanes.js'
import { Recorder } from '../../../engine/dispatch/recorder.js'
import { Sender } from '../../../engine/dispatch/sender.js'
import { createAddressRules } from '../../../engine/egress/address.js'
import { createPoster } from '../../../engine/egress/post.js'
import { createResolve } from '../../../engine/egress/resolve.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import { untilAborted } from '../../../engine/lifecycle/interrupt.js'
import type { Service } from '../../../engine/lifecycle/service.js'
import { createLog, type Log } from '../../../engine/observe/log.js'
import { createPostgresPool } from '../../../engine/postgres/pool.js'
import type { SenderConfig } from '../config/config.js'
import { openEndpoint } from '../delivery/endpoint.js'
import { createPostgresDeliveries } from '../delivery/store/postgres-deliveries.js'
import { createDeliveryEvents } from '../observe/delivery-events.js'
import { createSenderMetrics } from '../observe/sender-metrics.js'
import { openKeyRing } from './key-ring.js'
import type { PrimaryMessage } from './protocol.js'
import type { SenderReport } from './sender-protocol.js'
import { findDatabase } from './services.js'

const REPORT_EVERY_MS = 1_000
/**
 * What is left of the shutdown budget for recording what was cut off and closing
 * connections.
 */
const CLOSING_MS = 1_500
const POSTER = {
  connectTimeoutMs: 10_000,
  connectionsPerOrigin: 100,
  maxOrigins: 1_000,
  maxRetryAfterMs: 3_600_000
}
/**
 * The four steps, records and reads of lanes: more lanes than that wait for each other a
 * moment, not for long.
 */
const CONNECTIONS = 10
/** A lane is kept so often in the time after which it would be lost. */
const KEEPS_PER_LOSS = 3

export function createSenderWorker(config: SenderConfig): Service {
  const log = createLog(`sender worker ${process.pid}`, config.log, process.stdout.isTTY)
  return { run: signal => run(config, log, signal) }
}

async function run(config: SenderConfig, log: Log, signal: AbortSignal): Promise<void> {
  const stop = createWorkerStop(signal, config.shutdownTimeoutMs, () => endOrphan(log))
  process.on('message', ({ kind }: PrimaryMessage) => {
    if (kind === 'stop') stop.stop()
  })
  const keys = openKeyRing(config)
  const services = await findDatabase(config.services)
  const pool = createPostgresPool({
    connectionString: services.dbConnection,
    ...config.db,
    application: 'sender',
    connections: CONNECTIONS
  })
  const metrics = createSenderMetrics()
  const events = createDeliveryEvents({ log, metrics })
  const { observer, problems } = events
  const { sender: settings } = config
  const poster = createPoster({
    ...POSTER,
    rules: { allowHttp: settings.allowHttp, addresses: createAddressRules(settings.allowList) },
    resolve: createResolve(),
    clock
  })
  try {
    const patience = { clock, random: Math.random, signal: stop.signal, log }
    const lanes = await retryUntilDone(
      'open the lanes',
      () =>
        openPgBossLanes({
          pool,
          lostAfterS: settings.laneLostAfterS,
          onError: error => observer.failed('background', error)
        }),
      patience
    )
    if (lanes === null) return
    try {
      const deliveries = createPostgresDeliveries(pool, lanes.call)
      const sender = new Sender({
        deliveries,
        lanes,
        recorder: new Recorder({
          deliveries,
          clock,
          random: Math.random,
          onFault: error => observer.failed('record', error)
        }),
        post: post => poster.post(post),
        open: endpoint => openEndpoint(endpoint, keys),
        clock,
        random: Math.random,
        schedule: settings.schedule,
        disableAfterMs: settings.disableAfterMs,
        maxLanes: settings.maxLanes,
        keepEveryMs: (settings.laneLostAfterS * 1_000) / KEEPS_PER_LOSS,
        observer
      })
      const report = async (): Promise<void> =>
        send({
          kind: 'report',
          metrics: await metrics.snapshot(sender.lanes),
          status: { problems: Array.from(problems, ([step, reason]) => `${step}: ${reason}`) }
        })
      let cancel = clock.after(REPORT_EVERY_MS, tick)
      function tick(): void {
        events.logSummary()
        void report()
        cancel = clock.after(REPORT_EVERY_MS, tick)
      }
      log.info({ lanes: settings.maxLanes }, 'sending')
      await untilAborted(stop.signal)
      log.info({ lanes: sender.lanes }, 'draining')
      await sender.stop(
        Math.max(config.shutdownTimeoutMs - CLOSING_MS, 0),
        () => void poster.close()
      )
      cancel()
      await report()
    } finally {
      await lanes.close()
    }
  } finally {
    await poster.close()
    await pool.end()
  }
}

const send = (report: SenderReport): Promise<void> => tellPrimary(report)
