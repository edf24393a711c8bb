/**
 * `npm run bench -- --sender`: how fast deliveries go, what a dead endpoint and a large
 * backlog do to the others, and what ingestion pays for it.
 *
 * Units   in the names. A delay is the time from storing an event to the start of its
 *         first attempt, both by the database's rows.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type CpuTimes, type PartyPids, readCpuTimes } from './process-usage.js'
import type { Round } from './results.js'
import { type Bench, runScenario } from './run-scenario.js'
import { SCENARIOS } from './scenarios.js'
import { createSenderBed, type SenderBed, untilTrue } from './sender-bed.js'
import type { SenderSizes } from './sender-sizes.js'

export interface SenderResults {
  readonly throughput: Throughput
  readonly isolation: readonly Delays[]
  readonly backlog: BacklogResult
  readonly ingestion: readonly Ingestion[]
}

export interface Throughput {
  readonly deliveries: number
  readonly perSecond: number
  /** Of the sender, the database, the recipient. */
  readonly cpuUs: {
    readonly sender: number
    readonly postgres: number
    readonly recipient: number
  } | null
}

export interface Delays {
  readonly situation: string
  readonly deliveries: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface BacklogResult {
  readonly pending: number
  readonly fanOutPerSecond: number
  readonly jobRows: number
  readonly jobBytes: number
}

export interface Ingestion {
  readonly situation: string
  readonly eventsPerSecond: number
  readonly processorUs: number | null
  readonly postgresUs: number | null
}

const HEALTHY = Array.from({ length: 10 }, (_, n) => `recipient-${n + 1}`)
const DEAD = 'dead-recipient'
/** Events per second of all healthy clients together. */
const STEADY_PER_SECOND = 200
const STEADY_EVERY_MS = 50
const WARM_UP_SHARE = 0.1
const WITHIN_MS = 300_000

const COUNT_ATTEMPTS = 'SELECT count(*)::int AS n FROM delivery_attempt'
const READ_DELAYS = `
SELECT count(*)::int AS deliveries,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS p50,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY ms) AS p99
FROM (SELECT extract(epoch FROM a.started_at - m.received_at)::float8 * 1000 AS ms
      FROM delivery d JOIN delivery_attempt a ON a.delivery_id = d.id AND a.attempt = 1
      JOIN message m ON m.fk_client_name = d.fk_client_name AND m.message_id = d.message_id
      WHERE d.fk_client_name = ANY ($1)) x`

export async function measureSender(
  bench: Bench,
  sizes: SenderSizes,
  say: (line: string) => void
): Promise<SenderResults> {
  const bed = await createSenderBed(bench)
  try {
    const guarded = <T>(work: Promise<T>): Promise<T> =>
      Promise.race([work, bed.recipient.program.failure, bench.aborted])
    say('  deliveries, as fast as they go …')
    const throughput = await guarded(measureThroughput(bench, bed, sizes.deliveries))
    const isolation: Delays[] = []
    for (const isDeadThere of [false, true, false, true]) {
      say(
        `  a steady load${isDeadThere ? ` with ${sizes.queuedForDead} queued for a dead endpoint` : ''} …`
      )
      isolation.push(await guarded(measureIsolation(bench, bed, sizes, isDeadThere)))
    }
    say(`  a backlog of ${sizes.backlog} …`)
    const { delays, ...backlog } = await guarded(measureBacklog(bench, bed, sizes))
    const ingestion: Ingestion[] = []
    for (const isOn of [false, true, false, true]) {
      say(`  ingestion ${isOn ? 'with' : 'without'} the sender …`)
      ingestion.push(await guarded(measureIngestion(bench, bed, isOn)))
    }
    return { throughput, isolation: [...isolation, delays], backlog, ingestion }
  } finally {
    await bed.close()
  }
}

async function measureThroughput(
  bench: Bench,
  bed: SenderBed,
  deliveries: number
): Promise<Throughput> {
  const { db, postgresPid } = bench.services
  await bed.reset(HEALTHY.map(client => ({ client, url: `${bed.recipient.origin}/${client}` })))
  await bed.store(HEALTHY, Math.ceil(deliveries / HEALTHY.length))
  await db.query('ANALYZE message')
  await db.query('CHECKPOINT')
  const sender = await bed.startSender()
  try {
    const pids: PartyPids = {
      subject: sender.pid,
      postgres: postgresPid,
      queue: bed.recipient.program.pid,
      bench: process.pid
    }
    const look = async (): Promise<{
      readonly n: number
      readonly atMs: number
      readonly cpu: CpuTimes | null
    }> => {
      const { rows } = await db.query<{ n: number }>(COUNT_ATTEMPTS)
      return { n: rows[0]?.n ?? 0, atMs: performance.now(), cpu: readCpuTimes(pids) }
    }
    let begin = await look()
    await untilTrue(
      'the first tenth is delivered',
      async () => (begin = await look()).n >= deliveries * WARM_UP_SHARE,
      WITHIN_MS
    )
    let end = begin
    await untilTrue(
      'all are delivered',
      async () => (end = await look()).n >= deliveries,
      WITHIN_MS,
      250
    )
    const n = end.n - begin.n
    const us = (party: keyof CpuTimes): number =>
      (((end.cpu?.[party] ?? 0) - (begin.cpu?.[party] ?? 0)) * 1_000) / n
    return {
      deliveries: n,
      perSecond: (n * 1_000) / (end.atMs - begin.atMs),
      cpuUs:
        end.cpu === null
          ? null
          : { sender: us('subject'), postgres: us('postgres'), recipient: us('queue') }
    }
  } finally {
    await sender.end()
  }
}

async function measureIsolation(
  bench: Bench,
  bed: SenderBed,
  sizes: SenderSizes,
  isDeadThere: boolean
): Promise<Delays> {
  await bed.reset([
    ...HEALTHY.map(client => ({ client, url: `${bed.recipient.origin}/${client}` })),
    { client: DEAD, url: `${bed.silentOrigin}/dead` }
  ])
  if (isDeadThere) await bed.store([DEAD], sizes.queuedForDead)
  const sender = await bed.startSender()
  try {
    await untilFannedOut(bench)
    return await steady(
      bench,
      bed,
      sizes.steadySeconds,
      isDeadThere ? `with ${sizes.queuedForDead} queued for a dead endpoint` : 'alone'
    )
  } finally {
    await sender.end()
  }
}

async function measureBacklog(
  bench: Bench,
  bed: SenderBed,
  sizes: SenderSizes
): Promise<BacklogResult & { readonly delays: Delays }> {
  const { db } = bench.services
  await bed.reset([
    ...HEALTHY.map(client => ({ client, url: `${bed.recipient.origin}/${client}` })),
    { client: DEAD, url: `${bed.silentOrigin}/dead` }
  ])
  await bed.store([DEAD], sizes.backlog)
  const startedMs = performance.now()
  const sender = await bed.startSender()
  try {
    await untilFannedOut(bench)
    const fanOutPerSecond = (sizes.backlog * 1_000) / (performance.now() - startedMs)
    const delays = await steady(
      bench,
      bed,
      sizes.steadySeconds,
      `with a backlog of ${sizes.backlog}`
    )
    const { rows } = await db.query<{ pending: number; jobRows: number; jobBytes: number }>(
      `SELECT (SELECT count(*)::int FROM delivery WHERE state = 'pending') AS pending,
              (SELECT count(*)::int FROM event_process_jobs.job) AS "jobRows",
              (SELECT sum(pg_total_relation_size(inhrelid))::float8 FROM pg_inherits
               WHERE inhparent = 'event_process_jobs.job'::regclass) AS "jobBytes"`
    )
    const [row] = rows
    if (row === undefined) throw new Error('no backlog was read')
    return { ...row, fanOutPerSecond, delays }
  } finally {
    await sender.end()
  }
}

async function untilFannedOut({ services: { db } }: Bench): Promise<void> {
  const isDone = async (): Promise<boolean> => {
    const { rows } = await db.query<{ rest: boolean }>(
      `SELECT EXISTS (SELECT FROM message m, sender_cursor c WHERE m.tx >= c.tx
         AND (m.tx, m.fk_client_name, m.message_id) > (c.tx, c.fk_client_name, c.message_id)) AS rest`
    )
    return rows[0]?.rest === false
  }
  await untilTrue('the fan-out has read all', isDone, WITHIN_MS, 50)
}

async function steady(
  { services: { db } }: Bench,
  bed: SenderBed,
  seconds: number,
  situation: string
): Promise<Delays> {
  const rounds = (seconds * 1_000) / STEADY_EVERY_MS
  const clients = HEALTHY.slice(0, (STEADY_PER_SECOND * STEADY_EVERY_MS) / 1_000)
  const startedMs = performance.now()
  for (let round = 0; round < rounds; round++) {
    await delay(Math.max(0, startedMs + round * STEADY_EVERY_MS - performance.now()))
    await bed.store(clients, 1)
  }
  let read: { deliveries: number; p50: number; p99: number } | undefined
  const isThere = async (): Promise<boolean> => {
    read = (
      await db.query<{ deliveries: number; p50: number; p99: number }>(READ_DELAYS, [HEALTHY])
    ).rows[0]
    return read?.deliveries === rounds * clients.length
  }
  await untilTrue('all of the steady load is delivered', isThere, WITHIN_MS)
  return {
    situation,
    deliveries: read?.deliveries ?? 0,
    p50Ms: read?.p50 ?? 0,
    p99Ms: read?.p99 ?? 0
  }
}

async function measureIngestion(bench: Bench, bed: SenderBed, isOn: boolean): Promise<Ingestion> {
  const ours = SCENARIOS.find(({ name }) => name === 'ours')
  if (ours === undefined) throw new Error('there is no scenario named ours')
  // These clients send nothing: only the sender's reading is measured.
  await bed.reset(HEALTHY.map(client => ({ client, url: `${bed.recipient.origin}/${client}` })))
  const sender = isOn ? await bed.startSender() : null
  try {
    const { eventsPerSecond, cpuUsPerEvent }: Round = await runScenario(bench, ours, 1)
    return {
      situation: isOn ? 'sender on' : 'sender off',
      eventsPerSecond,
      processorUs: cpuUsPerEvent?.subject ?? null,
      postgresUs: cpuUsPerEvent?.postgres ?? null
    }
  } finally {
    await sender?.end()
  }
}
