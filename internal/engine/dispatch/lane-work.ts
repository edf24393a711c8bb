/**
 * Works on one lane: attempts what is due and records the outcomes, until nothing is due
 * or the lane is better left alone.
 *
 * Up to `maxConcurrency` attempts are under way at once; in an ordered lane only one. An
 * ordered lane stops at the first unfinished duty, and is paused until that duty is due
 * again.
 *
 * Units   milliseconds.
 * Errors  StoreError from reading, after what is under way has ended.
 */
import type { Clock } from '../lifecycle/clock.js'
import { Pace } from '../rate/pace.js'
import type { RetrySchedule } from '../retry/schedule.js'
import { type Circuit, createCircuit } from './circuit.js'
import type {
  Attempt,
  Dispatch,
  DueDuty,
  DutyFate,
  DutyOutcome,
  FoundLane,
  LaneVerdict
} from './dispatch.js'
import { DueAhead } from './due-ahead.js'
import { fateOf } from './fate.js'
import { LaneHealth } from './lane-health.js'
import type { DispatchObserver } from './observer.js'
import type { Recorder } from './recorder.js'

export interface LaneWorkOptions<Lane, Duty extends DueDuty, Result> {
  readonly dispatch: Pick<Dispatch<Lane, Duty, Result>, 'find' | 'due' | 'attempt' | 'changeLane'>
  readonly recorder: Recorder<Result>
  readonly clock: Clock
  readonly random: () => number
  readonly schedule: RetrySchedule
  /** A lane in which nothing has succeeded for this long is disabled. */
  readonly disableAfterMs: number
  readonly observer: DispatchObserver<Lane, Duty, Result>
  /** False once others wait for a turn. */
  readonly mayGoOn: () => boolean
}

export interface OpenedLane<Lane> {
  readonly laneId: string
  readonly found: FoundLane<Lane>
  readonly lane: Lane
}

/** Why the work on a lane has ended: nothing was due, or more may be. */
export type LaneEnd = 'idle' | 'more'

/** Enough for a second of a fast lane. */
const READ_AT_ONCE = 500
/**
 * Work on a lane lasts as long as something is due, but changes by people must count
 * soon.
 */
const FIND_AGAIN_EVERY_MS = 5_000
/** The length of a turn when others wait. */
const TURN_MS = 1_000

export class LaneWork<Lane, Duty extends DueDuty, Result> {
  readonly #opened: OpenedLane<Lane>
  readonly #options: LaneWorkOptions<Lane, Duty, Result>
  readonly #stopping = new AbortController()
  readonly #due: DueAhead<Duty>
  readonly #pace: Pace
  readonly #circuit: Circuit
  readonly #health: LaneHealth
  readonly #records = new Set<Promise<void>>()
  #end: LaneEnd = 'idle'
  #failure: Error | null = null
  #foundAtMs: number

  constructor(opened: OpenedLane<Lane>, options: LaneWorkOptions<Lane, Duty, Result>) {
    const { laneId, found, lane } = opened
    const { dispatch, clock, random, observer, disableAfterMs } = options
    this.#opened = opened
    this.#options = options
    this.#foundAtMs = clock.monotonicMs()
    this.#due = new DueAhead({
      read: open => this.#read(open),
      clock,
      signal: this.#stopping.signal
    })
    this.#pace = new Pace(found.maxPerSecond, clock)
    this.#circuit = createCircuit(found.circuitOpened, random)
    this.#health = new LaneHealth(found, {
      clock,
      disableAfterMs,
      change: change => dispatch.changeLane(laneId, change),
      onPaused: forMs => observer.paused(lane, forMs),
      onDisabled: reason => observer.disabled(lane, reason)
    })
  }

  /** Begins nothing further: the lane is lost, or the process stops. */
  stop(): void {
    this.#stopping.abort()
  }

  async run(): Promise<LaneEnd> {
    const { isOrdered, maxConcurrency } = this.#opened.found
    const turnEndsMs = this.#options.clock.monotonicMs() + TURN_MS
    const slots = isOrdered ? 1 : maxConcurrency
    await Promise.all(Array.from({ length: slots }, () => this.#work(turnEndsMs)))
    await Promise.all(this.#records)
    await this.#health.save()
    if (this.#failure !== null) throw this.#failure
    return this.#end
  }

  /** One slot: one duty after the other. */
  async #work(turnEndsMs: number): Promise<void> {
    const { clock, mayGoOn } = this.#options
    for (;;) {
      if (clock.monotonicMs() > turnEndsMs && !mayGoOn()) this.#finish('more')
      const duty = await this.#due.next()
      if (duty === null) return
      await this.#serve(duty).catch((error: unknown) => this.#fail(error))
      this.#due.ended()
    }
  }

  /** The stages of one duty, in order. */
  async #serve(duty: Duty): Promise<void> {
    const { clock, observer } = this.#options
    await this.#pace.wait(this.#stopping.signal)
    if (this.#stopping.signal.aborted) return
    const startedAtMs = clock.epochMs()
    const attempt = await this.#attempt(duty, startedAtMs)
    if (attempt === null) return
    const outcome = this.#outcomeOf(duty, startedAtMs, attempt)
    observer.attempted(this.#opened.lane, duty, outcome)
    this.#record(outcome)
    await this.#heed(attempt.lane, outcome.fate)
  }

  /** Null when the circuit was open, or we have cut the attempt off ourselves. */
  async #attempt(duty: Duty, startedAtMs: number): Promise<Attempt<Result> | null> {
    const made = await this.#circuit.attempt(async () => {
      const { lane } = this.#opened
      const attempt = await this.#options.dispatch.attempt(lane, duty, startedAtMs)
      return { attempt, isFailure: attempt !== null && attempt.lane.kind !== 'well' }
    })
    if (made !== null) return made.attempt
    await this.#rest(this.#circuit.pauseMs ?? 0)
    return null
  }

  #outcomeOf(duty: Duty, startedAtMs: number, attempt: Attempt<Result>): DutyOutcome<Result> {
    const { schedule, random } = this.#options
    return {
      dutyId: duty.id,
      attempt: duty.attempts + 1,
      startedAtMs,
      result: attempt.result,
      fate: fateOf(attempt.duty, duty.scheduled, schedule, random)
    }
  }

  /** The slot goes on at once; run() waits for outcomes not recorded yet. */
  #record(outcome: DutyOutcome<Result>): void {
    const record = this.#options.recorder
      .record(outcome)
      .then(() => this.#due.recorded(outcome.dutyId))
      .finally(() => this.#records.delete(record))
    this.#records.add(record)
  }

  /** What follows for the lane: it goes on, is paused, or is disabled. */
  async #heed(verdict: LaneVerdict, fate: DutyFate): Promise<void> {
    this.#health.note(verdict.kind !== 'well')
    if (verdict.kind === 'closed') {
      this.#finish('idle')
      return this.#health.disable(verdict.reason)
    }
    const heldUpMs = this.#opened.found.isOrdered && 'inMs' in fate ? fate.inMs : null
    const restMs = Math.max(verdict.restMs, this.#circuit.pauseMs ?? 0, heldUpMs ?? 0)
    if (restMs > 0 || heldUpMs !== null) await this.#rest(restMs)
  }

  #rest(forMs: number): Promise<void> {
    this.#finish('idle')
    return this.#health.pause(forMs, this.#circuit.opened)
  }

  async #read(open: ReadonlySet<string>): Promise<readonly Duty[]> {
    const { laneId, found } = this.#opened
    try {
      if (!(await this.#isCurrent())) {
        this.#finish('more')
        return []
      }
      // The next duty of an ordered lane is read when the one before it is recorded.
      if (found.isOrdered) await Promise.all(this.#records)
      const limit = found.isOrdered ? 1 : READ_AT_ONCE
      return await this.#options.dispatch.due(laneId, limit, [...open])
    } catch (error) {
      this.#fail(error)
      return []
    }
  }

  /** False once people have changed the lane, or switched it off. */
  async #isCurrent(): Promise<boolean> {
    const { laneId, found } = this.#opened
    const { clock, dispatch } = this.#options
    if (clock.monotonicMs() - this.#foundAtMs < FIND_AGAIN_EVERY_MS) return true
    this.#foundAtMs = clock.monotonicMs()
    return (await dispatch.find(laneId))?.version === found.version
  }

  #finish(end: LaneEnd): void {
    if (!this.#stopping.signal.aborted) this.#end = end
    this.stop()
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error))
    this.stop()
  }
}
