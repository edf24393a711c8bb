/**
 * Runs one schedule: the real intake against a simulated queue and database, on a virtual
 * clock, with the faults of the schedule.
 *
 * Shapes  a schedule in, its result out; the same schedule gives the same trace.
 * Units   virtual milliseconds.
 * Source  invariants by their numbers in internal/docs/architecture.md. I4 is I2 here:
 *         rows are compared with the text that was sent.
 */

import type { Rejection } from '../../engine/message/message.js'
import { SimulatedDatabase } from './database.js'
import type { SentBody } from './load.js'
import type { Outcomes } from './outcomes.js'
import { checkOutcomes } from './outcomes.js'
import { Primary } from './primary.js'
import { SimulatedProcess } from './process.js'
import { WAIT_TIME_MS } from './queue.js'
import { QueueServer } from './queue-server.js'
import { isDelaying, type Schedule } from './schedule.js'
import { connectStore } from './store.js'
import type { SimulatedSystem } from './system.js'
import type { Trace } from './trace.js'
import { ENDING_MS, type PlantedBug, Worker } from './worker.js'
import { type BrokenPromise, World } from './world.js'

export interface SimulationResult {
  readonly violation: BrokenPromise | null
  readonly outcomes: Outcomes
  /** How often each kind of fault struck. */
  readonly hits: ReadonlyMap<string, number>
  readonly trace: Trace
  /** Events of the virtual clock. */
  readonly steps: number
}

/**
 * After the last fault: the longest that a message can take to come back, plus its
 * receive, commit and delete.
 */
const SETTLED_WITHIN_MS = 90_000
/** The limit of config/settings.ts, and what a stop may take when nothing is wrong. */
const STOP_WITHIN_MS = 25_000
const LIVE_STOP_MS = 8_000

export async function simulate<Item, Refused extends Rejection>(
  system: SimulatedSystem<Item, Refused>,
  schedule: Schedule,
  bug: PlantedBug = {}
): Promise<SimulationResult> {
  const world = new World(schedule)
  const { scheduler } = world
  const sent = new Map(schedule.sent.map(message => [message.id, message]))
  const server = new QueueServer(world)
  const database = new SimulatedDatabase(world, system.rules, bug.rowKey)
  const { rows } = database
  const primaryProcess = new SimulatedProcess(world, -1, 1, () => undefined)
  const primary = new Primary(
    world,
    rows,
    connectStore({ world, database, process: primaryProcess, sent })
  )
  /**
   * Kept by its own row, by the row of another message with its item, or by a copy that
   * the queue has confirmed.
   */
  const isKept = (id: string): boolean =>
    server
      .familyOf(id)
      .some(
        held =>
          rows.rejections.has(held.id) ||
          (held.id !== id && held.isConfirmed && !held.isDeleted) ||
          (held.sent.kind === 'valid' && rows.holds(held.sent.key, held.sent.content))
      )
  const workers = Array.from(
    { length: schedule.workers },
    (_, number) =>
      new Worker({ system, world, server, database, primary, sent, isKept, bug }, number)
  )
  /** Runs until `isDone`; taking too long violates I10. */
  const reach = async (what: string, withinMs: number, isDone: () => boolean): Promise<void> => {
    if (world.violation !== null) return
    await scheduler.run(scheduler.nowMs + withinMs, () => isDone() || world.violation !== null)
    if (!isDone())
      world.violate('I10', `${Math.round(withinMs / 1_000)} s after the faults: ${what}`)
  }
  const isIdle = (): boolean => workers.every(worker => worker.isUp && worker.inFlight === 0)
  const stopAll = async (): Promise<void> => {
    let ended = 0
    for (const worker of workers) worker.stop(STOP_WITHIN_MS, () => ended++)
    await reach('workers do not stop', LIVE_STOP_MS + ENDING_MS, () => ended === workers.length)
  }
  const isPoison = ({ kind }: SentBody): boolean => kind === 'cursed' || kind === 'killer'
  const visibilityMs = schedule.visibilityTimeoutS * 1_000
  const poisonMs = (schedule.maxReceiveCount + 1) * (visibilityMs + 5_000) + SETTLED_WITHIN_MS
  // A message that a quota delays comes when the quota allows it.
  const quotaMs = isDelaying(schedule.rules) ? SETTLED_WITHIN_MS : 0
  const hasKillers = schedule.sent.some(({ kind }) => kind === 'killer')

  await scheduler.run(faultsEndMs(schedule), () => world.violation !== null)
  world.faults.end()
  world.note('checker', 'faults are over')
  await reach(
    'messages are still queued',
    2 * visibilityMs + SETTLED_WITHIN_MS + (hasKillers ? poisonMs : 0),
    () => [...server.live.values()].every(held => isPoison(held.sent))
  )
  await reach('poison messages are still queued', poisonMs, () => server.live.size === 0)
  await reach('workers are busy', SETTLED_WITHIN_MS, isIdle)
  // By then the long polls of dead workers are over; they would take messages that nobody
  // processes.
  await scheduler.run(scheduler.nowMs + WAIT_TIME_MS, () => world.violation !== null)
  server.sendLast()
  // A stop with work under way and no faults: it takes a moment, and the next life
  // finishes the work.
  await scheduler.run(scheduler.nowMs + world.dice.between(0, 50), () => world.violation !== null)
  await stopAll()
  await reach(
    'the last messages are still queued',
    2 * visibilityMs + quotaMs,
    () => server.live.size === 0
  )
  await reach('workers are busy', SETTLED_WITHIN_MS, isIdle)
  await stopAll()
  await reach(
    'the outcome of a dead worker’s transaction is not known',
    SETTLED_WITHIN_MS,
    () => primary.isSettled
  )

  if (world.violation === null) primary.checkTotals(system.reasons)
  const overQuota = system.quotas?.reason ?? null
  const areWrittenAtOnce = database.areWrittenAtOnce.bind(database)
  const outcomes =
    world.violation === null
      ? checkOutcomes({ world, server, rows, areWrittenAtOnce, overQuota })
      : new Map<string, string>()
  return {
    violation: world.violation,
    outcomes,
    hits: world.faults.hits,
    trace: world.trace,
    steps: scheduler.steps
  }
}

/** Lasting faults and the last message may extend beyond the schedule's own end. */
function faultsEndMs({ faultsEndMs, faults, sent }: Schedule): number {
  const ends = faults.map(fault => {
    if ('fromMs' in fault) return fault.fromMs + fault.forMs
    return 'atMs' in fault ? fault.atMs + fault.forMs : 0
  })
  return Math.max(faultsEndMs, ...ends, ...sent.map(({ atMs }) => atMs).filter(Number.isFinite))
}
