/**
 * The smallest program with workers, for tests of the cluster as real processes. Each
 * worker weighs ten parcels, one after the other, and announces each before it counts.
 *
 * TROUBLE says what goes wrong, once or always: refused opening the services fails for
 * good late the first step of the preparation fails twice never it fails each time
 * announced the first worker ends itself between an announcement and its outcome stuck no
 * worker ends its drain SPEED makes the cluster's clock run that many times faster.
 */
import cluster from 'node:cluster'
import { Gauge, Registry } from 'prom-client'
import { tellPrimary } from '../../engine/cluster/ipc.js'
import {
  type ClusterConfig,
  type Opening,
  type PrimaryOpening,
  type PrimaryParts,
  runCluster
} from '../../engine/cluster/run-cluster.js'
import { runWorker, type WorkerParts } from '../../engine/cluster/run-worker.js'
import { type Clock, systemClock } from '../../engine/lifecycle/clock.js'
import { delay } from '../../engine/lifecycle/interrupt.js'
import { main } from '../../engine/lifecycle/main.js'
import { ExpectedError } from '../../engine/lifecycle/service.js'
import { CounterSums, type Counts } from '../../engine/observe/counters.js'
import { Metrics } from '../../engine/observe/metrics.js'

/** How many grams the scale is off. */
interface ScaleOff {
  readonly kind: 'off'
  readonly grams: number
}
type ScaleWord =
  | { readonly kind: 'weighing'; readonly tx: string; readonly counts: Counts }
  | { readonly kind: 'weighed'; readonly tx: string; readonly counts: Counts }
interface ScaleStatus {
  readonly problem: string | null
}

const PREFIX = 'tiny_'
const COUNTERS = {
  parcels: { help: 'Parcels weighed' },
  sorted: { help: 'Parcels by size', label: 'size', values: ['small', 'large'] }
}
/** What each worker has to weigh. */
const PARCELS = 10
const PAUSE_MS = 20

const env = process.env
const trouble = env['TROUBLE']
const speed = Number(env['SPEED'] ?? 1)
const clock: Clock = {
  monotonicMs: () => systemClock.monotonicMs() * speed,
  epochMs: () => systemClock.epochMs(),
  after: (ms, fn) => systemClock.after(ms / speed, fn)
}
const config: ClusterConfig = {
  workers: Number(env['WORKERS'] ?? 2),
  shutdownTimeoutMs: Number(env['SHUTDOWN_TIMEOUT_MS'] ?? 10_000),
  log: { level: 'info', format: 'json' },
  metrics: { host: '127.0.0.1', port: Number(env['TINY_METRICS_PORT'] ?? 0) }
}

async function openPrimary(
  metrics: Metrics,
  { log, closeLater, tell }: PrimaryOpening<ScaleOff>
): Promise<PrimaryParts<ScaleOff, ScaleWord>> {
  closeLater(() => log.info('closed the first'))
  if (trouble === 'refused') throw new ExpectedError('the scales are sold')
  closeLater(() => log.info('closed the second'))
  let off: ScaleOff = { kind: 'off', grams: 1 }
  let failures = { late: 2, never: Number.POSITIVE_INFINITY }[trouble ?? ''] ?? 0
  return {
    prepare: [
      {
        doing: 'levelling the scales',
        todo: 'level the scales',
        run: async () => {
          if (failures-- > 0) throw new Error('the table shakes')
        }
      },
      { doing: 'dusting', todo: 'dust', run: async () => log.info('dusted') }
    ],
    probe: () => Promise.resolve(),
    workerEnv: { PARCEL: 'a parcel' },
    begin() {
      off = { kind: 'off', grams: 2 }
      tell(off)
    },
    greeting: () => [off],
    hear(workerId, message) {
      const { kind, tx, counts } = message
      if (kind === 'weighing') metrics.totals.announced(workerId, tx, counts)
      else metrics.totals.decided(workerId, tx, counts)
    },
    onExit: ({ pid }) => log.info({ worker: pid }, 'heard the last of it'),
    async wasCommitted(tx) {
      log.info({ tx }, 'asked for it')
      return true
    }
  }
}

async function openWorker({
  log,
  signal,
  retry,
  closeLater
}: Opening): Promise<WorkerParts<ScaleStatus>> {
  closeLater(() => log.info('put away the scale'))
  await retry('switch it on', () => Promise.resolve())
  const registry = new Registry()
  new Gauge({ name: `${PREFIX}scales`, help: 'Scales that are on', registers: [registry] }).set(1)
  const sums = new CounterSums()
  log.info({ parcel: env['PARCEL'] }, 'weighing')
  const done = weigh(sums, signal)
  return {
    report: async () => ({
      counts: sums.counts,
      metrics: await registry.getMetricsAsJSON(),
      status: { problem: null }
    }),
    logSummary: () => log.info('this second'),
    async drain(withinMs) {
      log.info({ withinMs }, 'draining')
      await done
      if (trouble === 'stuck') await delay(systemClock, 3_600_000, new AbortController().signal)
      log.info(sums.counts, 'drained')
    }
  }
}

async function weigh(sums: CounterSums, signal: AbortSignal): Promise<void> {
  const say = (word: ScaleWord): Promise<void> => tellPrimary(word)
  for (let n = 1; n <= PARCELS && (await delay(systemClock, PAUSE_MS, signal)); n++) {
    const tx = `${process.pid}-${n}`
    const counts = { parcels: 1, [`sorted/${n % 2 === 0 ? 'small' : 'large'}`]: 1 }
    await say({ kind: 'weighing', tx, counts })
    if (trouble === 'announced' && cluster.worker?.id === 1 && n === 5)
      process.kill(process.pid, 'SIGKILL')
    sums.addAll(counts)
    await say({ kind: 'weighed', tx, counts: sums.counts })
  }
}

function runPrimary(signal: AbortSignal): Promise<void> {
  const metrics = new Metrics(PREFIX, COUNTERS)
  return runCluster(
    {
      name: 'tiny',
      config,
      clock,
      portSetting: 'TINY_METRICS_PORT',
      metrics,
      problemOf: ({ problem }: ScaleStatus) => problem,
      stopping: 'stopping: no more parcels',
      open: opening => openPrimary(metrics, opening)
    },
    signal
  )
}

function runScale(signal: AbortSignal): Promise<void> {
  const hear = ({ grams }: ScaleOff): boolean =>
    process.stdout.write(`${JSON.stringify({ msg: 'told', worker: process.pid, grams })}\n`)
  return runWorker({ name: 'scale', config, clock, hear, open: openWorker }, signal)
}

await main(async () => ({ run: cluster.isPrimary ? runPrimary : runScale }))
