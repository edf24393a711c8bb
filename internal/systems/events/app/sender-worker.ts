/** One worker of the sender: fan-out, lanes and attempts. */

import type { Opening } from '../../../engine/cluster/run-cluster.js'
import { runWorker, type WorkerParts } from '../../../engine/cluster/run-worker.js'
import { Dispatcher } from '../../../engine/dispatch/dispatcher.js'
import { openPgBossLanes } from '../../../engine/dispatch/pg-boss-lanes.js'
import { createAddressRules } from '../../../engine/egress/address.js'
import { createPoster } from '../../../engine/egress/post.js'
import { createResolve } from '../../../engine/egress/resolve.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import { createPostgresPool } from '../../../engine/postgres/pool.js'
import { findDatabase } from '../../../engine/program/services.js'
import type { SenderConfig } from '../config/config.js'
import { createDeliveryDispatch } from '../delivery/dispatch.js'
import { openEndpoint } from '../delivery/endpoint.js'
import { LANES_SCHEMA, laneData } from '../delivery/store/endpoint-lanes.js'
import { createPostgresDeliveries } from '../delivery/store/postgres-deliveries.js'
import { createDeliveryEvents } from '../observe/delivery-events.js'
import { createSenderMetrics } from '../observe/sender-metrics.js'
import { SENDER_POOL } from '../store/pool-uses.js'
import { openKeyRing } from './key-ring.js'
import type { SenderStatus } from './sender-protocol.js'

const POSTER = {
  connectTimeoutMs: 10_000,
  connectionsPerOrigin: 100,
  maxOrigins: 1_000,
  maxRetryAfterMs: 3_600_000
}
/**
 * For the four steps, records and reads of lanes. With more lanes than connections, reads
 * wait only a moment.
 */
const CONNECTIONS = 10
/** How often a lane is renewed within the time after which it would be lost. */
const RENEWALS_PER_LOSS = 3

export function runSenderWorker(config: SenderConfig, signal: AbortSignal): Promise<void> {
  const open = (opening: Opening) => openWorker(config, opening)
  return runWorker({ name: 'sender worker', config, clock, open }, signal)
}

async function openWorker(
  config: SenderConfig,
  { log, retry, closeLater }: Opening
): Promise<WorkerParts<SenderStatus> | null> {
  const keys = openKeyRing(config)
  const services = await findDatabase(config.services)
  const pool = createPostgresPool(
    { connectionString: services.dbConnection, ...config.db },
    { ...SENDER_POOL, connections: CONNECTIONS }
  )
  closeLater(() => pool.end())
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
  closeLater(() => poster.close())
  const lanes = await retry('open the lanes', () =>
    openPgBossLanes({
      pool,
      schema: LANES_SCHEMA,
      dataOf: laneData,
      lostAfterS: settings.laneLostAfterS,
      onError: error => observer.failed('background', error)
    })
  )
  if (lanes === null) return null
  closeLater(() => lanes.close())
  const sender = new Dispatcher({
    dispatch: createDeliveryDispatch({
      deliveries: createPostgresDeliveries(pool, lanes.wake),
      post: post => poster.post(post),
      open: endpoint => openEndpoint(endpoint, keys),
      observer
    }),
    lanes,
    clock,
    random: Math.random,
    schedule: settings.schedule,
    disableAfterMs: settings.disableAfterMs,
    maxLanes: settings.maxLanes,
    renewEveryMs: (settings.laneLostAfterS * 1_000) / RENEWALS_PER_LOSS,
    observer
  })
  log.info({ lanes: settings.maxLanes }, 'sending')
  return {
    report: async () => ({
      counts: {},
      metrics: await metrics.snapshot(sender.lanes),
      status: { problems: Array.from(problems, ([step, reason]) => `${step}: ${reason}`) }
    }),
    logSummary: () => events.logSummary(),
    drain(withinMs) {
      log.info({ lanes: sender.lanes }, 'draining')
      return sender.stop(withinMs, () => void poster.close())
    }
  }
}
