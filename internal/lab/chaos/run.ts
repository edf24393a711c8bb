/**
 * Carries out a plan and checks every event afterwards; delivery-run.ts has the sender's
 * part. Steps run one after the other. Before the next one, the run waits until work has
 * resumed, times that, and restarts what has ended. After the last step the backlog must
 * drain; then verify decides.
 *
 * Units   milliseconds.
 * Errors  what the processor does wrong is a violation in the result; rejects only when
 *         the harness cannot go on.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock as clock } from '../../engine/lifecycle/clock.js'
import { delay } from '../../engine/lifecycle/interrupt.js'
import { readSamples, type Sample } from '../../engine/observe/prometheus-text.js'
import { readLedger } from '../../systems/events/producer/ledger-reader.js'
import type { Report } from '../../systems/events/verify/report.js'
import { verify } from '../../systems/events/verify/verify.js'
import { eventually } from '../programs/eventually.js'
import type { RowCounts } from './database.js'
import { type DeliveryOutcome, DeliveryRun } from './delivery-run.js'
import { FAULTS, type FaultKind } from './faults.js'
import { INJECTORS } from './inject.js'
import { describeStep, type Plan, type PlannedKill, type PlannedStep } from './plan.js'
import { type Recovery, timeRecovery } from './recovery.js'
import {
  IDLE_IN_TRANSACTION_MS,
  IN_FLIGHT_MAX_MESSAGES,
  POLLERS,
  VISIBILITY_TIMEOUT_S
} from './settings.js'
import type { ChaosSystems } from './systems.js'
import { AlwaysChecks } from './watch.js'

export interface RunOutcome {
  readonly kills: { readonly worker: number; readonly primary: number }
  readonly faults: Partial<Record<FaultKind, number>>
  readonly commits: readonly Recovery[]
  readonly receives: readonly Recovery[]
  readonly drainMs: number | null
  readonly looks: number
  readonly report: Report
  readonly delivery: DeliveryOutcome
}

export interface RunOptions {
  readonly plan: Plan
  readonly systems: ChaosSystems
  readonly workers: number
  readonly signal: AbortSignal
  /** Called when a step begins; null after the last one. */
  readonly onStep: (done: number, step: PlannedStep | null) => void
}

export const DRAIN_LIMIT_MS = 60_000
const COMMIT_WAIT_MS = 1_000
/** A killed worker's messages become visible again after their visibility timeout. */
const REST_MS = 2_000 * VISIBILITY_TIMEOUT_S
const LOOK_EVERY_MS = 500
/** Counting many rows is slow. */
const LOOKS_PER_COUNT = 5
const FETCH_MS = 5_000
const VERIFY_WAIT_MS = 15_000
const QUIET_MARGIN_MS = 5_000
const MESSAGES_PER_RECEIVE = 10

export class ChaosRun {
  readonly #options: RunOptions
  readonly #checks: AlwaysChecks
  readonly #delivery: DeliveryRun
  readonly #faults: Partial<Record<FaultKind, number>> = {}
  readonly #commits: Recovery[] = []
  readonly #receives: Recovery[] = []
  #lastFaultEndedMs = 0

  constructor(options: RunOptions) {
    this.#options = options
    const maxInFlight = options.workers * (IN_FLIGHT_MAX_MESSAGES + POLLERS * MESSAGES_PER_RECEIVE)
    this.#checks = new AlwaysChecks(maxInFlight, options.systems.onWrong)
    this.#delivery = new DeliveryRun({
      systems: options.systems,
      onFault: kind => this.#countFault(kind)
    })
  }

  async run(): Promise<RunOutcome> {
    const { plan, systems, signal, onStep } = this.#options
    await this.#startProcessor()
    await this.#delivery.start()
    const ended = new AbortController()
    const watching = this.#watch(ended.signal)
    try {
      for (const [index, step] of plan.steps.entries()) {
        if (signal.aborted) throw new Error('stopped')
        onStep(index, step)
        await this.#step(step).catch((error: unknown) => {
          throw new Error(
            `step ${index + 1} (${describeStep(step)}): ${error instanceof Error ? error.message : String(error)}`,
            {
              cause: error
            }
          )
        })
      }
      onStep(plan.steps.length, null)
      const drainMs = await this.#drain()
      ended.abort()
      await watching
      await systems.deletes.catchUp()
      const report = await this.#verify()
      const delivery = await this.#delivery.end(this.#lastFaultEndedMs)
      await this.#stopProcessor()
      return {
        kills: systems.processor.kills,
        faults: this.#faults,
        commits: this.#commits,
        receives: this.#receives,
        drainMs,
        looks: this.#checks.looks,
        report,
        delivery
      }
    } finally {
      ended.abort()
      await watching
    }
  }

  async #step(step: PlannedStep): Promise<void> {
    if (endsLife(step)) await this.#checkAtRest()
    await Promise.all([this.#suffer(step), this.#delivery.suffer(step.delivery)])
    await this.#delivery.revive()
    if (!this.#options.systems.processor.isUp) await this.#revive()
    await pause(step.pauseMs)
  }

  async #suffer({ events, leadMs, fault, kill }: PlannedStep): Promise<void> {
    const { systems } = this.#options
    const { bursts, processor } = systems
    const first = fault === null ? events : Math.ceil(events / 2)
    bursts.release(first)
    await pause(leadMs)
    if (fault === null) {
      if (kill !== null) await this.#kill(kill)
      this.#lastFaultEndedMs = performance.now()
    } else {
      const end = await INJECTORS[fault.kind](systems, fault)
      this.#countFault(fault.kind)
      const killing = kill === null ? Promise.resolve() : this.#kill(kill)
      await Promise.all([killing, pause(fault.forMs)])
      await end()
      this.#lastFaultEndedMs = performance.now()
      bursts.release(events - first)
      if (processor.isUp) await this.#timeRecovery(fault.kind)
    }
  }

  #countFault(kind: FaultKind): void {
    this.#faults[kind] = (this.#faults[kind] ?? 0) + 1
  }

  /**
   * With everything settled the counters must equal the rows (I8). Checked before a
   * primary ends, because its counters end with it.
   */
  async #checkAtRest(): Promise<void> {
    const { systems } = this.#options
    const isAtRest = async (): Promise<boolean> => (await systems.depths()).queue === 0
    if ((await eventually(isAtRest, REST_MS, LOOK_EVERY_MS)) === null) return
    let told = ''
    const isEqual = async (): Promise<boolean> => {
      const totals = this.#checks.totals((await this.#readMetrics()) ?? [])
      const rows = await systems.database.countRows()
      told = `${JSON.stringify(totals)}, the rows ${JSON.stringify(rows)}`
      return totals.stored === rows.stored && totals.rejected === rows.rejected
    }
    if ((await eventually(isEqual, REST_MS, LOOK_EVERY_MS)) === null)
      systems.onWrong(`at rest the counters say ${told}`)
    else systems.onNoted('times at rest when the counters equalled the rows')
  }

  async #kill({ target, afterMs, isAtCommit, draw }: PlannedKill): Promise<void> {
    const { processor } = this.#options.systems
    await pause(afterMs)
    if (isAtCommit && (await this.#killAtCommit(draw))) return
    if (target === 'primary') {
      await processor.killPrimary()
      return
    }
    const pid = await processor.pickWorker(draw)
    if (pid !== null) processor.killWorker(pid)
  }

  /**
   * Kills when the rows are committed and no worker knows it yet. False when no commit
   * came.
   */
  async #killAtCommit(draw: number): Promise<boolean> {
    const { processor, databaseProxy, onNoted } = this.#options.systems
    const before = processor.kills.worker
    databaseProxy.onCommit = () => {
      const pid = processor.workerNow(draw, true)
      if (pid !== null) processor.killWorker(pid)
    }
    await eventually(() => processor.kills.worker > before, COMMIT_WAIT_MS)
    databaseProxy.onCommit = null
    if (processor.kills.worker === before) return false
    onNoted('kills at the moment of a COMMIT')
    return true
  }

  async #timeRecovery(kind: FaultKind): Promise<void> {
    const { systems } = this.#options
    const took = await timeRecovery(systems, kind)
    if (took !== null)
      (FAULTS[kind].back === 'commit' ? this.#commits : this.#receives).push({ kind, tookMs: took })
    await systems.deletes.catchUp()
  }

  /**
   * Starts the next primary when the last one's workers and their transactions are gone.
   */
  async #revive(): Promise<void> {
    const { systems } = this.#options
    await systems.processor.whenOrphansGone()
    await systems.database.whenUp()
    const withinMs = IDLE_IN_TRANSACTION_MS + QUIET_MARGIN_MS
    if (!(await systems.database.whenQuiet(withinMs)))
      systems.onWrong(`a transaction of a dead worker was open for ${withinMs} ms`)
    await this.#startProcessor()
  }

  async #startProcessor(): Promise<void> {
    const { processor, database } = this.#options.systems
    this.#checks.begin(processor.life + 1, await database.countRows())
    await processor.start()
  }

  async #stopProcessor(): Promise<void> {
    const { systems } = this.#options
    systems.processor.signalPrimary('SIGTERM')
    const end = await systems.processor.whenEnded()
    if (end !== 0 && end !== null)
      systems.onWrong(`the processor ended with ${end} after the last SIGTERM`)
    await systems.processor.whenOrphansGone()
  }

  /** The time from the end of the last fault until nothing is queued or in flight. */
  async #drain(): Promise<number | null> {
    const { systems } = this.#options
    const sinceMs = (): number => performance.now() - this.#lastFaultEndedMs
    await systems.bursts.finished
    const isEmpty = async (): Promise<boolean> => (await systems.depths()).queue === 0
    const took = await eventually(isEmpty, DRAIN_LIMIT_MS - sinceMs())
    if (took === null)
      systems.onWrong(`the backlog was not empty ${DRAIN_LIMIT_MS} ms after the last fault`)
    return took === null ? null : sinceMs()
  }

  async #verify(): Promise<Report> {
    const { systems, signal } = this.#options
    const session = await systems.database.session()
    try {
      await session.query('SET statement_timeout = 0')
      return await verify({
        ledger: readLedger(systems.ledgerFile, () => undefined),
        tornLine: () => null,
        db: session,
        depths: () => systems.depths(),
        metricTotals: async () => this.#checks.totals((await this.#readMetrics()) ?? []),
        waitMs: VERIFY_WAIT_MS,
        clock,
        signal
      })
    } finally {
      await session.end()
    }
  }

  async #watch(ended: AbortSignal): Promise<void> {
    const { processor } = this.#options.systems
    for (let look = 1; !ended.aborted; look++) {
      const { life } = processor
      const samples = await this.#readMetrics()
      if (samples !== null) {
        const rows = look % LOOKS_PER_COUNT === 0 ? await this.#countRows() : null
        this.#checks.look(life, samples, rows)
      }
      await delay(clock, LOOK_EVERY_MS, ended)
    }
  }

  async #countRows(): Promise<RowCounts | null> {
    return this.#options.systems.database.countRows().catch(() => null)
  }

  /** Null while the processor does not answer. */
  async #readMetrics(): Promise<readonly Sample[] | null> {
    const { metricsUrl } = this.#options.systems.processor
    if (metricsUrl === null) return null
    const text = await fetch(metricsUrl, { signal: AbortSignal.timeout(FETCH_MS) })
      .then(answer => (answer.ok ? answer.text() : null))
      .catch(() => null)
    return text === null ? null : readSamples(text)
  }
}

/**
 * Whether the step begins by ending a primary, so that a check before it interrupts
 * nothing.
 */
function endsLife({ fault, kill }: PlannedStep): boolean {
  return fault === null
    ? kill?.target === 'primary'
    : fault.kind === 'primary-term' || fault.kind === 'primary-term-twice'
}
