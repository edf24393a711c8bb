/**
 * A tiny system for tests of the dispatcher: duties, lanes and notes in memory, and
 * answers given by the test. A duty is a row of one lane; a lane is opened as its id; the
 * result of an attempt is a word.
 */
import type {
  Attempt,
  Chore,
  Dispatch,
  DueDuty,
  DutyOutcome,
  FoundLane,
  LaneChange
} from '../../engine/dispatch/dispatch.js'
import type { ClaimedLane, Lanes } from '../../engine/dispatch/lanes.js'
import type { ManualClock } from './manual-clock.js'

export interface MemoryDuty extends DueDuty {
  readonly laneId: string
  readonly state: 'due' | 'done' | 'given-up'
  readonly dueAtMs: number
}

export type MemoryAttempt = Attempt<string>

export const DONE: MemoryAttempt = {
  result: 'done',
  duty: { kind: 'done' },
  lane: { kind: 'well', restMs: 0 }
}
/** A failure that requests a pause of the duty and of its lane. */
export const failedWith = (restMs: number): MemoryAttempt => ({
  result: 'failed',
  duty: { kind: 'retry', notBeforeMs: restMs },
  lane: { kind: 'failing', restMs }
})
export const FAILED = failedWith(0)
export const askAgain = (afterMs: number): MemoryAttempt => ({
  result: 'not yet',
  duty: { kind: 'again', afterMs },
  lane: { kind: 'well', restMs: 0 }
})
export const GIVEN_UP: MemoryAttempt = {
  result: 'no use',
  duty: { kind: 'give-up' },
  lane: { kind: 'well', restMs: 0 }
}
export const CLOSED: MemoryAttempt = {
  result: 'failed',
  duty: { kind: 'retry', notBeforeMs: 0 },
  lane: { kind: 'closed', reason: 'it moved away' }
}

export type MemoryLane = Partial<FoundLane<string>>

export interface MemoryDispatchOptions {
  readonly clock: ManualClock
  /** The result of an attempt; `nth` counts all attempts from 1. */
  readonly answer: (duty: MemoryDuty, nth: number) => MemoryAttempt | null
  /** How long an attempt takes. */
  readonly attemptMs?: (duty: MemoryDuty) => number
  /** How long the store takes to record. */
  readonly settleMs?: number
  readonly wake?: (laneIds: readonly string[]) => void
  readonly chores?: readonly Chore[]
}

export class MemoryDispatch implements Dispatch<string, MemoryDuty, string> {
  readonly duties: MemoryDuty[] = []
  readonly outcomes: DutyOutcome<string>[] = []
  readonly changes: { readonly laneId: string; readonly change: LaneChange }[] = []
  /** Ids of duties, in the order in which their attempts began. */
  readonly begun: string[] = []
  /** What their lanes were opened as, in the same order. */
  readonly openedAs: string[] = []
  readonly #options: MemoryDispatchOptions
  readonly #lanes = new Map<string, MemoryLane>()
  readonly #pausedUntilMs = new Map<string, number>()
  underWay = 0
  mostUnderWay = 0
  /** If set, the store fails with these instead. */
  findFault: Error | null = null
  dueFault: Error | null = null
  settleFault: Error | null = null
  finds = 0

  constructor(options: MemoryDispatchOptions) {
    this.#options = options
  }

  get chores(): readonly Chore[] {
    return this.#options.chores ?? []
  }

  add(laneId: string, count = 1): void {
    const dueAtMs = this.#options.clock.monotonicMs()
    for (let n = 0; n < count; n++) {
      const id = String(this.duties.length + 1)
      this.duties.push({ id, laneId, attempts: 0, scheduled: 0, state: 'due', dueAtMs })
    }
  }

  setLane(laneId: string, lane: MemoryLane): void {
    this.#lanes.set(laneId, { ...this.#lanes.get(laneId), ...lane })
  }

  /** Removes the lane: nobody may work for it any more. */
  remove(laneId: string): void {
    this.#pausedUntilMs.set(laneId, Number.POSITIVE_INFINITY)
  }

  lane(laneId: string): FoundLane<string> {
    return {
      isOrdered: false,
      maxConcurrency: 10,
      maxPerSecond: null,
      failingForMs: null,
      circuitOpened: 0,
      version: '1',
      open: () => laneId,
      ...this.#lanes.get(laneId)
    }
  }

  wakeDue(): Promise<number> {
    const due = this.duties.filter(duty => this.#isDue(duty) && !this.#isPaused(duty.laneId))
    const laneIds = [...new Set(due.map(({ laneId }) => laneId))]
    this.#options.wake?.(laneIds)
    return Promise.resolve(laneIds.length)
  }

  find(laneId: string): Promise<FoundLane<string> | null> {
    this.finds += 1
    if (this.findFault !== null) return Promise.reject(this.findFault)
    return Promise.resolve(this.#isPaused(laneId) ? null : this.lane(laneId))
  }

  due(laneId: string, limit: number, exceptIds: readonly string[]): Promise<readonly MemoryDuty[]> {
    if (this.dueFault !== null) return Promise.reject(this.dueFault)
    const due = this.duties.filter(
      duty => duty.laneId === laneId && this.#isDue(duty) && !exceptIds.includes(duty.id)
    )
    return Promise.resolve(due.slice(0, limit))
  }

  async attempt(lane: string, duty: MemoryDuty): Promise<MemoryAttempt | null> {
    this.begun.push(duty.id)
    this.openedAs.push(lane)
    const nth = this.begun.length
    this.underWay += 1
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay)
    await wait(this.#options.clock, this.#options.attemptMs?.(duty) ?? 1)
    this.underWay -= 1
    return this.#options.answer(duty, nth)
  }

  async settle(outcomes: readonly DutyOutcome<string>[]): Promise<void> {
    await wait(this.#options.clock, this.#options.settleMs ?? 0)
    if (this.settleFault !== null) throw this.settleFault
    for (const outcome of outcomes) {
      const at = this.duties.findIndex(({ id }) => id === outcome.dutyId)
      const duty = this.duties[at]
      if (duty?.attempts !== outcome.attempt - 1) continue
      this.outcomes.push(outcome)
      this.duties[at] = this.#moved(duty, outcome)
    }
  }

  changeLane(laneId: string, change: LaneChange): Promise<void> {
    this.changes.push({ laneId, change })
    if (change.kind === 'paused')
      this.#pausedUntilMs.set(laneId, this.#options.clock.monotonicMs() + change.forMs)
    return Promise.resolve()
  }

  endPause(laneId: string): void {
    this.#pausedUntilMs.delete(laneId)
  }

  #moved(duty: MemoryDuty, { attempt, fate }: DutyOutcome<string>): MemoryDuty {
    const moved = { ...duty, attempts: attempt }
    if (!('inMs' in fate)) return { ...moved, state: fate.kind }
    const nowMs = this.#options.clock.monotonicMs()
    return {
      ...moved,
      scheduled: fate.kind === 'retry' ? duty.scheduled + 1 : 0,
      // In an ordered lane it keeps its place.
      dueAtMs: this.lane(duty.laneId).isOrdered ? duty.dueAtMs : nowMs + fate.inMs
    }
  }

  #isDue({ state, dueAtMs }: MemoryDuty): boolean {
    return state === 'due' && dueAtMs <= this.#options.clock.monotonicMs()
  }

  #isPaused(laneId: string): boolean {
    return (this.#pausedUntilMs.get(laneId) ?? 0) > this.#options.clock.monotonicMs()
  }
}

export class MemoryLanes implements Lanes {
  readonly #clock: ManualClock
  /** Lanes that were woken and have not been claimed yet. */
  readonly notes: string[] = []
  readonly claimed: ClaimedLane[] = []
  readonly released: { readonly laneId: string; readonly wakeAgain: boolean }[] = []
  /** When each claim was made. */
  readonly claims: number[] = []
  readonly lost = new Set<ClaimedLane>()
  claimMs = 0
  releaseMs = 0
  releaseFault: Error | null = null

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  /** One note per lane; a claimed lane waits for its release. */
  wake(laneIds: readonly string[]): void {
    for (const laneId of laneIds) if (!this.notes.includes(laneId)) this.notes.push(laneId)
  }

  async claim(max: number): Promise<readonly ClaimedLane[]> {
    this.claims.push(this.#clock.monotonicMs())
    // As in a database: lanes woken in the same turn are visible.
    await Promise.resolve()
    const free = this.notes.filter(id => !this.claimed.some(({ laneId }) => laneId === id))
    const got = free.slice(0, max).map((laneId): ClaimedLane => ({ laneId }))
    for (const { laneId } of got) this.notes.splice(this.notes.indexOf(laneId), 1)
    this.claimed.push(...got)
    await wait(this.#clock, this.claimMs)
    return got
  }

  renew(lanes: readonly ClaimedLane[]): Promise<readonly ClaimedLane[]> {
    return Promise.resolve(lanes.filter(lane => this.lost.has(lane)))
  }

  async release(lane: ClaimedLane, wakeAgain: boolean): Promise<void> {
    await wait(this.#clock, this.releaseMs)
    if (this.releaseFault !== null) throw this.releaseFault
    this.claimed.splice(this.claimed.indexOf(lane), 1)
    this.released.push({ laneId: lane.laneId, wakeAgain })
    if (wakeAgain) this.wake([lane.laneId])
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

function wait(clock: ManualClock, ms: number): Promise<void> {
  return ms === 0 ? Promise.resolve() : new Promise(resolve => clock.after(ms, resolve))
}
