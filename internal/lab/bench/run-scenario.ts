/**
 * Runs one scenario once: a fresh queue with all its events in it, an empty table, then
 * the subject in a process of its own.
 *
 * The rate and the CPU times are those of the part that window.ts describes. Progress is
 * read from the queue's own counts, the same way for every subject. Then the same
 * subject, warm and idle, gets events at a steady rate, and reports how long they took
 * from sent to committed; ours gets them once more near its full rate. At the end the
 * rows are counted: one event too few, or too many, fails the scenario.
 *
 * Units   milliseconds on the bench's monotonic clock.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Environment } from '../../engine/config/environment.js'
import { type BenchArguments, eventsFor } from './arguments.js'
import { startBaseline } from './baseline-subject.js'
import { drain } from './drain.js'
import { type FreshQueue, openFreshQueue } from './fresh-queue.js'
import { countOf, quantileOf, since } from './histogram.js'
import { watchLag } from './lag.js'
import { type ExpectedRows, sendLoad } from './load.js'
import type { MeasuredSubject, Readings } from './measured-subject.js'
import { type PartyPids, readPeakMemory } from './process-usage.js'
import { startProcessorSubject } from './processor-subject.js'
import type { Latency, Round } from './results.js'
import { BUSY_SHARE, LATENCY_RATE, type Scenario } from './scenarios.js'
import type { BenchServices } from './services.js'

export interface Bench {
  readonly services: BenchServices
  readonly options: BenchArguments
  /** Where the processor runs. */
  readonly directory: string
  readonly env: Environment
  readonly signal: AbortSignal
  /** Rejects when the bench is stopped; never resolves. */
  readonly aborted: Promise<never>
}

const READ_EVERY_MS = 100
const READINGS_WITHIN_MS = 15_000

export async function runScenario(bench: Bench, scenario: Scenario, round: number): Promise<Round> {
  const { services, options, signal } = bench
  const events = eventsFor(scenario, options)
  await services.db.query('TRUNCATE message, rejection')
  await services.db.query('CHECKPOINT')
  const queue = await openFreshQueue(services.sqs, scenario.name)
  try {
    const load = { sqs: services.sqs, queueUrl: queue.url, signal }
    const expected =
      scenario.load === null
        ? { stored: events, rejected: 0 }
        : await sendLoad(
            { ...load, count: events, ratePerSecond: null, seed: 'drain' },
            scenario.load
          )
    const subject = await startSubject(bench, scenario, queue, events)
    try {
      const work = async (): Promise<Round> => {
        const lag = scenario.subject === 'processor' ? watchLag(subject) : null
        const settledByNow = async (): Promise<number> =>
          scenario.load === null ? ((await subject.settled()) ?? 0) : events - (await queue.depth())
        const pids: PartyPids = {
          subject: subject.pid,
          postgres: services.postgresPid,
          queue: services.queuePid,
          bench: process.pid
        }
        const drained = await drain({
          events,
          pids,
          settledByNow,
          signal,
          onBegin: () => lag?.start()
        })
        if (scenario.subject === 'producers') await assertQueued(queue, events)
        const eventLoopLagMs = lag === null ? null : await lag.stop()
        const before =
          scenario.stores && scenario.load !== null ? await readUntil(subject, events) : null
        const isClean = scenario.load === 'clean'
        const latency =
          before === null || !isClean
            ? null
            : await watchLatency(subject, before, LATENCY_RATE, options.latencySeconds, load)
        const busyRate = Math.round(drained.eventsPerSecond * BUSY_SHARE)
        const between =
          latency === null || !watchesBusy(bench, scenario) ? null : await subject.readings()
        return {
          scenario: scenario.name,
          round,
          events,
          ...drained,
          latency,
          memory: readPeakMemory(subject.pid),
          commits: before === null ? null : describeCommits(before),
          eventLoopLagMs,
          busyLatency:
            between === null
              ? null
              : await watchLatency(subject, between, busyRate, options.latencySeconds, load)
        }
      }
      const result = await Promise.race([work(), subject.failure, bench.aborted])
      const later = (result.latency?.samples ?? 0) + (result.busyLatency?.samples ?? 0)
      if (scenario.stores)
        await assertRows(services, { ...expected, stored: expected.stored + later })
      return result
    } finally {
      await subject.stop()
    }
  } finally {
    await queue.remove()
  }
}

/** Only for the processor, and not in a quick run. */
function watchesBusy({ options }: Bench, { subject }: Scenario): boolean {
  return subject === 'processor' && !options.isQuick
}

function startSubject(
  { services, options, directory, env }: Bench,
  { subject: name }: Scenario,
  queue: FreshQueue,
  events: number
): Promise<MeasuredSubject> {
  const { dbConnection, aws } = services
  const { pollers, workers } = options
  if (name !== 'processor')
    return startBaseline({ name, aws, queueUrl: queue.url, dbConnection, pollers, events })
  return startProcessorSubject({
    sqsEndpoint: aws.endpoint,
    dbConnection,
    queueName: queue.name,
    workers,
    pollers,
    directory,
    env
  })
}

type SteadyLoad = Pick<Parameters<typeof sendLoad>[0], 'sqs' | 'queueUrl' | 'signal'>

/** `before` must cover everything sent until then. */
async function watchLatency(
  subject: MeasuredSubject,
  before: Readings,
  ratePerSecond: number,
  seconds: number,
  load: SteadyLoad
): Promise<Latency | null> {
  if (before.dwell === null) return null
  const samples = ratePerSecond * seconds
  const startedMs = performance.now()
  await sendLoad({ ...load, count: samples, ratePerSecond, seed: `steady-${ratePerSecond}` })
  const sentPerSecond = (samples * 1_000) / (performance.now() - startedMs)
  const after = await readUntil(subject, countOf(before.dwell) + samples)
  if (after.dwell === null) return null
  const dwell = since(before.dwell, after.dwell)
  const p50 = quantileOf(dwell, 0.5)
  const p99 = quantileOf(dwell, 0.99)
  return p50 === null || p99 === null
    ? null
    : { samples, sentPerSecond, p50Ms: p50 * 1_000, p99Ms: p99 * 1_000 }
}

/** The subject's readings, once they report `events` stored events. */
async function readUntil(subject: MeasuredSubject, events: number): Promise<Readings> {
  const deadlineMs = performance.now() + READINGS_WITHIN_MS
  for (;;) {
    const readings = await subject.readings()
    const stored = readings.dwell === null ? 0 : countOf(readings.dwell)
    if (stored >= events) return readings
    if (performance.now() > deadlineMs)
      throw new Error(`the subject reports ${stored} stored events; ${events} are settled`)
    await delay(READ_EVERY_MS)
  }
}

function describeCommits({ batchRows, commitSeconds }: Readings): Round['commits'] {
  if (batchRows === null || commitSeconds === null) return null
  return {
    meanRows: batchRows.sum / countOf(batchRows),
    rowsPerCommitSecond: batchRows.sum / commitSeconds.sum
  }
}

async function assertQueued(queue: FreshQueue, expected: number): Promise<void> {
  const queued = await queue.depth()
  if (queued !== expected)
    throw new Error(`${expected} events were accepted, ${queued} are in the queue`)
}

async function assertRows({ db }: BenchServices, expected: ExpectedRows): Promise<void> {
  const { rows } = await db.query<ExpectedRows>(
    `SELECT (SELECT count(*)::int FROM message) AS stored,
            (SELECT count(*)::int FROM rejection) AS rejected`
  )
  const { stored, rejected } = rows[0] ?? { stored: 0, rejected: 0 }
  if (stored === expected.stored && rejected === expected.rejected) return
  throw new Error(
    `expected ${expected.stored} stored and ${expected.rejected} rejected events; ` +
      `${stored} are stored, ${rejected} rejected`
  )
}
