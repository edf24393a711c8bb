/**
 * Runs many schedules in a thread of its own, away from the test runner: its hooks into every promise would make them ten times slower.
 *
 * Shapes  a job in, its result out, both plain data.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { Sent } from './load.js'
import { PLANTED_BUGS, type PlantedBugName } from './planted-bugs.js'
import { reportFailure } from './report.js'
import { createSchedule } from './schedule.js'
import { simulate } from './simulation.js'

export interface Job {
  readonly fromSeed: number
  readonly seeds: number
  /** Ends at the first failure and does not report on it. */
  readonly bug?: PlantedBugName
}

export interface JobResult {
  readonly schedules: number
  readonly steps: number
  readonly messages: number
  readonly tookMs: number
  /** How often each kind of fault struck, and each kind of message was sent. */
  readonly hits: Readonly<Record<string, number>>
  /** The broken promise of each failing seed. */
  readonly failures: readonly { readonly seed: number; readonly invariant: string; readonly report: string }[]
}

/** More reports would say the same again. */
const REPORTS = 3

export async function runJob({ fromSeed, seeds, bug }: Job): Promise<JobResult> {
  const planted = bug === undefined ? {} : PLANTED_BUGS[bug]
  const startedMs = performance.now()
  const hits: Record<string, number> = {}
  const failures: { seed: number; invariant: string; report: string }[] = []
  const count = (kind: string, times: number): void => {
    hits[kind] = (hits[kind] ?? 0) + times
  }
  let steps = 0
  let messages = 0
  let schedules = 0
  while (schedules < seeds && (bug === undefined || failures.length === 0)) {
    const schedule = createSchedule(fromSeed + schedules++)
    const result = await simulate(schedule, planted)
    steps += result.steps
    messages += schedule.sent.length
    for (const [kind, times] of result.hits) count(kind, times)
    for (const message of schedule.sent) count(kindOf(message), 1)
    if (result.violation === null) continue
    const report = bug === undefined && failures.length < REPORTS ? await reportFailure(schedule) : ''
    failures.push({ seed: schedule.seed, invariant: result.violation.invariant, report })
  }
  return { schedules, steps, messages, tookMs: performance.now() - startedMs, hits, failures }
}

function kindOf(message: Sent): string {
  return `message: ${message.kind === 'invalid' ? message.reason : message.kind}`
}

export function runInThread(job: Job): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL(import.meta.url), { workerData: { job } })
    thread.once('message', resolve)
    thread.once('error', reject)
  })
}

if (!isMainThread && parentPort !== null) {
  const { job } = workerData as { job: Job }
  parentPort.postMessage(await runJob(job))
}
