/**
 * Measures the sustained rate, then sends 70 % of it for the wanted time, and takes
 * samples.
 *
 * Units   seconds since the steady load began.
 * Errors  rejects when the processor ends by itself or the queue does not drain.
 */
import type { Environment } from '../../engine/config/environment.js'
import { systemClock as clock } from '../../engine/lifecycle/clock.js'
import { delay } from '../../engine/lifecycle/interrupt.js'
import { largestSample, sumOfSamples } from '../../engine/observe/prometheus-text.js'
import { createSqsWriter } from '../../engine/queue/sqs/writer.js'
import type { LoadTotals } from '../../systems/events/producer/load.js'
import { type FreshQueue, openFreshQueue } from '../bench/fresh-queue.js'
import { type ProcessorSubject, startProcessorSubject } from '../bench/processor-subject.js'
import type { BenchServices } from '../bench/services.js'
import { eventually } from '../programs/eventually.js'
import type { SoakSample } from './findings.js'
import { sampleProcesses } from './process-sample.js'
import { runSoakProducers } from './producers.js'
import { createRetention } from './retention.js'

export interface SoakOptions {
  readonly services: BenchServices
  readonly seconds: number
  readonly workers: number
  readonly directory: string
  readonly env: Environment
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

/** What the processor decided, or should have decided. */
interface DecidedCounts {
  readonly stored: number
  readonly duplicates: number
  readonly rejected: number
}

export interface SoakOutcome {
  /** Events per second that producers and processor sustained together. */
  readonly sustainedPerSecond: number
  readonly sentPerSecond: number
  readonly samples: readonly SoakSample[]
  readonly sent: DecidedCounts
  readonly decided: DecidedCounts
  readonly deletedRows: number
}

const LOAD_SHARE = 0.7
const POLLERS = 10
const RATE_WARM_UP_S = 5
const RATE_S = 20
/** A shorter run has shorter phases. */
const WHOLE_S = 60
/**
 * Enough that no worker waits for events, and few enough that the emulator's array stays
 * cheap.
 */
const MAX_BACKLOG = 5_000
const LOOK_AT_BACKLOG_MS = 50
const SAMPLE_EVERY_MS = 5_000
const SAMPLES_PER_LINE = 12
const DRAIN_MS = 60_000

/** Null when it was stopped. */
export async function runSoak(options: SoakOptions): Promise<SoakOutcome | null> {
  const { services, workers, directory, env } = options
  await services.db.query('TRUNCATE message, rejection')
  const queue = await openFreshQueue(services.sqs, 'soak')
  try {
    const { aws, dbConnection } = services
    const spec = {
      sqsEndpoint: aws.endpoint,
      dbConnection,
      queueName: queue.name,
      workers,
      pollers: POLLERS,
      directory,
      env
    }
    const subject = await startProcessorSubject(spec)
    try {
      return await Promise.race([work(options, queue, subject), subject.failure])
    } finally {
      await subject.stop()
    }
  } finally {
    await queue.remove()
  }
}

async function work(
  options: SoakOptions,
  queue: FreshQueue,
  subject: ProcessorSubject
): Promise<SoakOutcome | null> {
  const { signal, seconds, say } = options
  const scale = Math.min(1, seconds / WHOLE_S)
  say(
    `Measuring for ${Math.round((RATE_WARM_UP_S + RATE_S) * scale)} s what producers and processor sustain together …`
  )
  const measured = await load(options, queue, null, 'rate', async () => {
    await pause(RATE_WARM_UP_S * scale, signal)
    const from = { atMs: performance.now(), decided: total(await readDecided(subject)) }
    await pause(RATE_S * scale, signal)
    const decided = total(await readDecided(subject)) - from.decided
    return (decided * 1_000) / (performance.now() - from.atMs)
  })
  if (signal.aborted) return null
  const sentPerSecond = Math.round(measured.result * LOAD_SHARE)
  const minutes = Math.round(seconds / 6) / 10
  say(
    `${Math.round(measured.result)} events/s; ` +
      `sending ${sentPerSecond} per second for ${minutes} minutes …`
  )

  const retention = createRetention(options.services.db)
  let deletedRows = 0
  const steady = await load(options, queue, sentPerSecond, 'steady', async () => {
    const samples: SoakSample[] = []
    const startedMs = performance.now()
    for (let number = 1; ; number++) {
      const dueMs = startedMs + number * SAMPLE_EVERY_MS * scale
      if (dueMs > startedMs + seconds * 1_000) return samples
      await pause((dueMs - performance.now()) / 1_000, signal)
      if (signal.aborted) return null
      samples.push(await takeSample(subject, queue, (performance.now() - startedMs) / 1_000))
      deletedRows += await retention()
      const last = samples.at(-1)
      if (last !== undefined && number % SAMPLES_PER_LINE === 0) say(`  ${describeSample(last)}`)
    }
  })
  if (steady.result === null) return null
  const sent = addUp(measured.totals, steady.totals)
  const isAll = async (): Promise<boolean> => total(await readDecided(subject)) >= total(sent)
  await eventually(isAll, DRAIN_MS)
  const decided = await readDecided(subject)
  return {
    sustainedPerSecond: measured.result,
    sentPerSecond,
    samples: steady.result,
    sent,
    decided,
    deletedRows
  }
}

/** Runs `watch` while producers send; resolves when the queue is empty again. */
async function load<T>(
  { services, signal }: SoakOptions,
  queue: FreshQueue,
  ratePerSecond: number | null,
  seed: string,
  watch: () => Promise<T>
): Promise<{ readonly result: T; readonly totals: LoadTotals }> {
  const ended = new AbortController()
  let backlog = 0
  const producers = runSoakProducers({
    queue: createSqsWriter({ sqs: services.sqs, queueUrl: queue.url }),
    ratePerSecond,
    seed: `${seed} ${Date.now()}`,
    signal: AbortSignal.any([signal, ended.signal]),
    mayGoOn: async () => {
      while (ratePerSecond === null && backlog > MAX_BACKLOG && !ended.signal.aborted)
        await delay(clock, LOOK_AT_BACKLOG_MS, ended.signal)
    }
  })
  const looking = followBacklog(queue, ended.signal, depth => {
    backlog = depth
  })
  try {
    // Producers that fail end the run; those that end as planned are awaited below.
    const result = await Promise.race([
      watch(),
      producers.then(() => new Promise<never>(() => undefined))
    ])
    ended.abort()
    const totals = await producers
    if (
      !signal.aborted &&
      (await eventually(async () => (await queue.depth()) === 0, DRAIN_MS)) === null
    )
      throw new Error(`the queue was not empty ${DRAIN_MS} ms after the last event`)
    return { result, totals }
  } finally {
    ended.abort()
    await looking
  }
}

async function followBacklog(
  queue: FreshQueue,
  ended: AbortSignal,
  onDepth: (depth: number) => void
): Promise<void> {
  while (!ended.aborted) {
    onDepth(await queue.depth())
    await delay(clock, LOOK_AT_BACKLOG_MS, ended)
  }
}

async function takeSample(
  subject: ProcessorSubject,
  queue: FreshQueue,
  atS: number
): Promise<SoakSample> {
  const [{ dwell, lagSeconds }, samples, backlog] = await Promise.all([
    subject.readings(),
    subject.metrics(),
    queue.depth()
  ])
  const heapBytes = largestSample(samples, 'nodejs_heap_size_used_bytes')
  return {
    atS,
    processes: sampleProcesses(subject.pid) ?? [],
    heapBytes,
    lagSeconds,
    dwell,
    backlog
  }
}

function describeSample({ atS, processes, backlog }: SoakSample): string {
  const mib = processes.map(({ rssBytes }) => (rssBytes / 1_048_576).toFixed(0))
  const handles = processes.map(process => process.handles)
  return `${(atS / 60).toFixed(0)} min  RSS ${mib.join(' + ')} MiB  handles ${handles.join(' + ')}  backlog ${backlog}`
}

async function readDecided(subject: ProcessorSubject): Promise<DecidedCounts> {
  const samples = await subject.metrics()
  const sum = (name: string): number => sumOfSamples(samples, `event_process_${name}_total`)
  return { stored: sum('stored'), duplicates: sum('duplicate'), rejected: sum('rejected') }
}

function addUp(...loads: readonly LoadTotals[]): DecidedCounts {
  const sum = (pick: (totals: LoadTotals) => number): number =>
    loads.reduce((so, totals) => so + pick(totals), 0)
  return {
    stored: sum(({ sent, duplicates, invalid }) => sent - duplicates - invalid),
    duplicates: sum(({ duplicates }) => duplicates),
    rejected: sum(({ invalid }) => invalid)
  }
}

function total({ stored, duplicates, rejected }: DecidedCounts): number {
  return stored + duplicates + rejected
}

async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  await delay(clock, Math.max(0, seconds * 1_000), signal)
}
