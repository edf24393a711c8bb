/**
 * Runs one scenario once: a fresh queue with all its events in it, an empty table, then the subject in a process of its own.
 *
 * The rate and the CPU times are those of the part that window.ts describes; progress is read off the queue's own counts, the same way for
 * every subject. After that the same subject, warm and idle, gets events at a steady rate, and says how long they took from sent to
 * committed. At the end the rows are counted: one event too few, or too many, fails the scenario.
 *
 * Units   milliseconds on the bench's monotonic clock.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Environment } from '../config/environment.js'
import { type BenchArguments, eventsFor } from './arguments.js'
import { startBaseline } from './baseline-subject.js'
import { type FreshQueue, openFreshQueue } from './fresh-queue.js'
import { countOf, quantileOf, since } from './histogram.js'
import { sendLoad } from './load.js'
import type { MeasuredSubject, Readings } from './measured-subject.js'
import { type CpuTimes, type PartyPids, readCpuTimes, readPeakMemory } from './process-usage.js'
import { startProcessor } from './processor-subject.js'
import type { Round } from './results.js'
import { LATENCY_RATE, type Scenario } from './scenarios.js'
import type { BenchServices } from './services.js'
import { Window } from './window.js'

export interface Bench {
  readonly services: BenchServices
  readonly options: BenchArguments
  /** Where the processor runs. */
  readonly directory: string
  readonly env: Environment
  readonly signal: AbortSignal
  /** Rejects when the bench is told to stop; never resolves. */
  readonly aborted: Promise<never>
}

interface Sample {
  readonly atMs: number
  readonly settled: number
  readonly cpu: CpuTimes | null
}

/** Rarely, because each look costs processor time; often near the end, because the last look is the end. */
const LOOK_EVERY_MS = 50
const LOOK_NEAR_END_EVERY_MS = 10
const NEAR_END_SHARE = 0.9
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
    if (scenario.usesQueue) await sendLoad({ ...load, count: events, ratePerSecond: null, seed: 'drain' })
    const subject = await startSubject(bench, scenario, queue, events)
    try {
      const work = async (): Promise<Round> => {
        const drained = await drain(bench, subject, scenario, queue, events)
        const before = scenario.stores && scenario.usesQueue ? await readUntil(subject, events) : null
        const latency = before === null ? null : await watchLatency(subject, before, events, options.latencySeconds, load)
        return {
          scenario: scenario.name,
          round,
          events,
          ...drained,
          latency,
          memory: readPeakMemory(subject.pid),
          commits: before === null ? null : describeCommits(before)
        }
      }
      const result = await Promise.race([work(), subject.failure, bench.aborted])
      if (scenario.stores) await assertRows(services, events + (result.latency?.samples ?? 0))
      return result
    } finally {
      await subject.stop()
    }
  } finally {
    await queue.remove()
  }
}

function startSubject(
  { services, options, directory, env }: Bench,
  { name }: Scenario,
  queue: FreshQueue,
  events: number
): Promise<MeasuredSubject> {
  const { dbConnection, aws } = services
  const { pollers, workers } = options
  if (name !== 'ours') return startBaseline({ name, aws, queueUrl: queue.url, dbConnection, pollers, events })
  return startProcessor({ sqsEndpoint: aws.endpoint, dbConnection, queueName: queue.name, workers, pollers, directory, env })
}

type Drained = Pick<Round, 'measuredEvents' | 'seconds' | 'eventsPerSecond' | 'cpuUsPerEvent'>

async function drain(
  { services, signal }: Bench,
  subject: MeasuredSubject,
  scenario: Scenario,
  queue: FreshQueue,
  events: number
): Promise<Drained> {
  const pids: PartyPids = { subject: subject.pid, postgres: services.postgresPid, queue: services.queuePid, bench: process.pid }
  const window = new Window(events)
  const settledByNow = async (): Promise<number> => (scenario.usesQueue ? events - (await queue.depth()) : ((await subject.settled()) ?? 0))
  let begin: Sample | null = null
  while (!signal.aborted) {
    const settled = await settledByNow()
    const atMs = performance.now()
    const moment = window.look(settled, atMs)
    if (moment === 'begin') begin = { atMs, settled, cpu: readCpuTimes(pids) }
    if (moment === 'end' && begin !== null) return measure(begin, { atMs, settled, cpu: readCpuTimes(pids) })
    await delay(settled < events * NEAR_END_SHARE ? LOOK_EVERY_MS : LOOK_NEAR_END_EVERY_MS)
  }
  throw new Error('stopped')
}

function measure(begin: Sample, end: Sample): Drained {
  const measuredEvents = end.settled - begin.settled
  const seconds = (end.atMs - begin.atMs) / 1_000
  const perEvent = (before: number, after: number): number => ((after - before) * 1_000) / measuredEvents
  const { cpu: from } = begin
  const { cpu: to } = end
  return {
    measuredEvents,
    seconds,
    eventsPerSecond: measuredEvents / seconds,
    cpuUsPerEvent:
      from === null || to === null
        ? null
        : {
            subject: perEvent(from.subject, to.subject),
            postgres: perEvent(from.postgres, to.postgres),
            queue: perEvent(from.queue, to.queue),
            bench: perEvent(from.bench, to.bench)
          }
  }
}

type SteadyLoad = Pick<Parameters<typeof sendLoad>[0], 'sqs' | 'queueUrl' | 'signal'>

async function watchLatency(
  subject: MeasuredSubject,
  before: Readings,
  events: number,
  seconds: number,
  load: SteadyLoad
): Promise<Round['latency']> {
  const samples = LATENCY_RATE * seconds
  await sendLoad({ ...load, count: samples, ratePerSecond: LATENCY_RATE, seed: 'steady' })
  const after = await readUntil(subject, events + samples)
  if (before.dwell === null || after.dwell === null) return null
  const dwell = since(before.dwell, after.dwell)
  const p50 = quantileOf(dwell, 0.5)
  const p99 = quantileOf(dwell, 0.99)
  return p50 === null || p99 === null ? null : { samples, p50Ms: p50 * 1_000, p99Ms: p99 * 1_000 }
}

/** The subject's readings once they tell of `events` stored events. */
async function readUntil(subject: MeasuredSubject, events: number): Promise<Readings> {
  const deadlineMs = performance.now() + READINGS_WITHIN_MS
  for (;;) {
    const readings = await subject.readings()
    const stored = readings.dwell === null ? 0 : countOf(readings.dwell)
    if (stored >= events) return readings
    if (performance.now() > deadlineMs) throw new Error(`the subject tells of ${stored} stored events; ${events} are settled`)
    await delay(READ_EVERY_MS)
  }
}

function describeCommits({ batchRows, commitSeconds }: Readings): Round['commits'] {
  if (batchRows === null || commitSeconds === null) return null
  return { meanRows: batchRows.sum / countOf(batchRows), rowsPerCommitSecond: batchRows.sum / commitSeconds.sum }
}

async function assertRows({ db }: BenchServices, expected: number): Promise<void> {
  const { rows } = await db.query<{ stored: number; rejected: number }>(
    'SELECT (SELECT count(*)::int FROM message) AS stored, (SELECT count(*)::int FROM rejection) AS rejected'
  )
  const { stored, rejected } = rows[0] ?? { stored: 0, rejected: 0 }
  if (stored !== expected || rejected !== 0) throw new Error(`${expected} events were sent, ${stored} are stored and ${rejected} rejected`)
}
