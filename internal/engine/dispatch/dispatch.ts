/**
 * The port to a system's duties: what is due, an attempt at it, and where its outcome
 * goes.
 *
 * A duty is something that is attempted until it is done or given up: a webhook, a
 * request to a third party, a question that is asked until it has its final answer. Each
 * duty belongs to a lane, and a lane to whatever the attempts go to, with its limits and
 * its health. The system's store is the truth about both; Lanes (lanes.ts) only say which
 * process works for which lane.
 *
 * The engine decides when an attempt is made and when the next one is. The system makes
 * the attempt and says what it means, for the duty and, apart from it, for the lane.
 *
 * Units   milliseconds; the store's clock decides what is due.
 * Errors  StoreError from whatever asks the store.
 */

/** What the engine must know of a duty; the rest is the system's. */
export interface DueDuty {
  readonly id: string
  /** Attempts so far. */
  readonly attempts: number
  /** Those of them that failed since the schedule began. */
  readonly scheduled: number
}

/** A lane that may be worked on. */
export interface FoundLane<Lane> {
  /** One duty at a time; a duty that is not over yet holds up those behind it. */
  readonly isOrdered: boolean
  readonly maxConcurrency: number
  /** Attempts per second; null: no limit. */
  readonly maxPerSecond: number | null
  /** For how long no attempt has succeeded; null: the last one did, or there was none. */
  readonly failingForMs: number | null
  /** How often its circuit has opened since then. */
  readonly circuitOpened: number
  /** Another one whenever people have changed the lane; its health is no part of it. */
  readonly version: string
  /** Throws an error that says why the lane cannot be used by this process. */
  open(): Lane
}

/** What an attempt means for its duty. */
export type DutyVerdict =
  | { readonly kind: 'done' }
  /** It failed, and is tried again by the schedule, but not before `notBeforeMs`. */
  | { readonly kind: 'retry'; readonly notBeforeMs: number }
  /** Nothing failed, but there is no end yet: asked again later, outside the schedule. */
  | { readonly kind: 'again'; readonly afterMs: number }
  | { readonly kind: 'give-up' }

/**
 * What an attempt means for its lane; `restMs` above 0 asks to be left alone for so long.
 */
export type LaneVerdict =
  | { readonly kind: 'well'; readonly restMs: number }
  | { readonly kind: 'failing'; readonly restMs: number }
  /** It wants no attempts any more: the lane is disabled. */
  | { readonly kind: 'closed'; readonly reason: string }

export interface Attempt<Result> {
  /** What the system records of it. */
  readonly result: Result
  readonly duty: DutyVerdict
  readonly lane: LaneVerdict
}

/** What becomes of a duty after an attempt. */
export type DutyFate =
  | { readonly kind: 'done' | 'given-up' }
  | { readonly kind: 'retry' | 'again'; readonly inMs: number }

export interface DutyOutcome<Result> {
  readonly dutyId: string
  /** Numbered from 1. */
  readonly attempt: number
  readonly startedAtMs: number
  readonly result: Result
  readonly fate: DutyFate
}

/** What the attempts have changed about their lane. */
export type LaneChange =
  | { readonly kind: 'healthy' }
  | { readonly kind: 'failing'; readonly forMs: number }
  | { readonly kind: 'paused'; readonly forMs: number; readonly circuitOpened: number }
  | { readonly kind: 'disabled'; readonly reason: string }

/** Work of the system's own that the engine repeats beside the lanes. */
export interface Chore {
  readonly name: string
  readonly everyMs: number
  /** Does a part of it. */
  run(): Promise<ChoreRun>
}

export interface ChoreRun {
  /** There is more to do: the next part comes at once. */
  readonly isMore: boolean
  /** Lanes were woken. */
  readonly hasWoken: boolean
}

export interface Dispatch<Lane, Duty extends DueDuty, Result> {
  /** What makes duties, or tidies up behind them; empty where others do so. */
  readonly chores: readonly Chore[]
  /**
   * Wakes each lane that has something due, whether or not it was woken before: what is
   * due is found again whatever became of a note. The number of such lanes.
   */
  wakeDue(): Promise<number>
  /** Null when nobody may work for it: it is paused, disabled or gone. */
  find(laneId: string): Promise<FoundLane<Lane> | null>
  /** What is due in a lane, the longest due first, without what is at work already. */
  due(laneId: string, limit: number, exceptIds: readonly string[]): Promise<readonly Duty[]>
  /**
   * Makes one attempt. Whatever can go wrong in it is a verdict. Null: we have cut it off
   * ourselves, so it says nothing, and the duty stays due.
   */
  attempt(lane: Lane, duty: Duty, startedAtMs: number): Promise<Attempt<Result> | null>
  /**
   * Records attempts and moves their duties on, each only from the attempt before it. An
   * attempt that was recorded before changes nothing.
   */
  settle(outcomes: readonly DutyOutcome<Result>[]): Promise<void>
  changeLane(laneId: string, change: LaneChange): Promise<void>
}
