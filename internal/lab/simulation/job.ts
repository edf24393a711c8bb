/**
 * Runs many schedules of one system, one after the other. Job and result are plain data.
 */
import type { Rejection } from '../../engine/message/message.js'
import type { SentBody } from './load.js'
import { findInfluence } from './neighbours.js'
import { PLANTED_BUGS, type PlantedBugName } from './planted-bugs.js'
import { reportFailure } from './report.js'
import { areasOf, createSchedule, type Schedule } from './schedule.js'
import { type SimulationResult, simulate } from './simulation.js'
import type { SimulatedSystem } from './system.js'
import { SIMULATED_EVENTS } from './systems/events.js'
import { SIMULATED_READINGS } from './systems/tiny.js'

const SYSTEMS = { events: jobsOf(SIMULATED_EVENTS), tiny: jobsOf(SIMULATED_READINGS) }

export type SystemName = keyof typeof SYSTEMS

export interface Job {
  readonly system: SystemName
  /**
   * `check`: every invariant, over all seeds. `compare`: each schedule with and without
   * the sender of mostly invalid messages, over the seeds where only the database fails.
   * `find`: ends at the first seed that finds the planted bug.
   */
  readonly task: 'check' | 'compare' | { readonly find: PlantedBugName }
  readonly fromSeed: number
  readonly seeds: number
}

export interface Failure {
  readonly seed: number
  readonly invariant: string
  /** Only written for the first few failures: more would repeat them. */
  readonly report: string | null
}

export interface JobResult {
  readonly schedules: number
  readonly steps: number
  readonly messages: number
  readonly tookMs: number
  /**
   * How often each kind of fault struck, each kind of message was sent, and each end
   * occurred.
   */
  readonly hits: Readonly<Record<string, number>>
  readonly failures: readonly Failure[]
}

const REPORTS = 3

export function runJob(job: Job): Promise<JobResult> {
  return SYSTEMS[job.system](job)
}

function jobsOf<Item, Refused extends Rejection>(system: SimulatedSystem<Item, Refused>) {
  return (job: Job): Promise<JobResult> => run(system, job)
}

async function run<Item, Refused extends Rejection>(
  system: SimulatedSystem<Item, Refused>,
  { task, fromSeed, seeds }: Job
): Promise<JobResult> {
  const startedMs = performance.now()
  const bug = typeof task === 'object' ? PLANTED_BUGS[task.find] : {}
  const hits = new Map<string, number>()
  const failures: Failure[] = []
  let [schedules, steps, messages] = [0, 0, 0]
  for (let seed = fromSeed; seed < fromSeed + seeds; seed++) {
    const schedule = createSchedule(system, seed)
    if (task === 'compare') {
      if (![...areasOf(schedule)].every(area => area === 'database')) continue
      schedules++
      const influence = await findInfluence(system, schedule)
      if (influence !== null) failures.push({ seed, invariant: 'I12', report: influence })
      continue
    }
    schedules++
    const result = await simulate(system, schedule, bug)
    steps += result.steps
    messages += schedule.sent.length
    countHits(schedule, result, hits)
    if (result.violation === null) continue
    const report =
      task === 'check' && failures.length < REPORTS ? await reportFailure(system, schedule) : null
    failures.push({ seed, invariant: result.violation.invariant, report })
    if (task !== 'check') break
  }
  return {
    schedules,
    steps,
    messages,
    tookMs: performance.now() - startedMs,
    hits: Object.fromEntries(hits),
    failures
  }
}

function countHits(
  { sent }: Schedule,
  { hits, outcomes }: SimulationResult,
  all: Map<string, number>
): void {
  const count = (kind: string, times = 1): void => void all.set(kind, (all.get(kind) ?? 0) + times)
  for (const [kind, times] of hits) count(kind, times)
  for (const message of sent) count(`message: ${kindOf(message)}`)
  for (const outcome of outcomes.values()) count(`end: ${outcome}`)
}

function kindOf(message: SentBody): string {
  return message.kind === 'invalid' ? message.reason : message.kind
}
