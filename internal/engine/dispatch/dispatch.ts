/**
 * The port to a system's duties: which are due, how to attempt one, and where its outcome
 * goes.
 *
 * A duty is attempted until it is done or given up: a webhook, a request to a third
 * party, a question that is asked until it has its final answer. Each duty belongs to a
 * lane. A lane stands for one target of attempts, with its limits and its health. The
 * system's store is the truth about both; Lanes (lanes.ts) only says which process works
 * on which lane.
 *
 * The engine decides when an attempt is made and when the next one follows. The system
 * makes the attempt and says what it means for the duty and, separately, for the lane.
 *
 * Units   milliseconds; the store's clock decides what is due.
 * Errors  StoreError from every method that uses the store.
 */

/** What the engine must know about a duty; the rest is the system's. */
export interface DueDuty {
  readonly id: string
  /** Attempts so far. */
  readonly attempts: number
  /** How many of these failed since the schedule began. */
  readonly scheduled: number
}

/** A lane that may be worked on. */
export interface FoundLane<Lane> {
  /** One duty at a time; an unfinished duty holds up those behind it. */
  readonly isOrdered: boolean
  readonly maxConcurrency: number
  /** Attempts per second; null: no limit. */
  readonly maxPerSecond: number | null
  /** How long no attempt has succeeded; null: the last one did, or there was none. */
  readonly failingForMs: number | null
  /** How often its circuit has opened since then. */
  readonly circuitOpened: number
  /** Changes whenever people change the lane, but not with its health. */
  readonly version: string
  /** Throws an error that says why this process cannot use the lane. */
  open(): Lane
}

/** What an attempt means for its duty. */
export type DutyVerdict =
  | { readonly kind: 'done' }
  /** It failed and is retried by the schedule, but not before `notBeforeMs`. */
  | { readonly kind: 'retry'; readonly notBeforeMs: number }
  /** Nothing failed, but it is not finished: asked again later, outside the schedule. */
  | { readonly kind: 'again'; readonly afterMs: number }
  | { readonly kind: 'give-up' }

/**
 * What an attempt means for its lane; `restMs` above 0 asks for no attempts for that
 * long.
 */
export type LaneVerdict =
  | { readonly kind: 'well'; readonly restMs: number }
  | { readonly kind: 'failing'; readonly restMs: number }
  /** It wants no further attempts: the lane is disabled. */
  | { readonly kind: 'closed'; readonly reason: string }

export interface Attempt<Result> {
  /** What the system records of the attempt. */
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

/** The system's own work that the engine repeats while lanes are worked on. */
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
  /** Chores that make duties or clean up after them; empty where others do so. */
  readonly chores: readonly Chore[]
  /**
   * Wakes each lane that has something due, even if it was woken before, which makes up
   * for lost notes. Returns the number of such lanes.
   */
  wakeDue(): Promise<number>
  /** Null when nobody may work on it: it is paused, disabled or gone. */
  find(laneId: string): Promise<FoundLane<Lane> | null>
  /** The due duties of a lane, longest due first, except those in work already. */
  due(laneId: string, limit: number, exceptIds: readonly string[]): Promise<readonly Duty[]>
  /**
   * Makes one attempt. Anything that goes wrong in it becomes a verdict. Null: we cut it
   * off ourselves, so it says nothing, and the duty stays due.
   */
  attempt(lane: Lane, duty: Duty, startedAtMs: number): Promise<Attempt<Result> | null>
  /**
   * Records attempts and moves their duties on, each only from the attempt before it.
   * Recording an attempt twice changes nothing.
   */
  settle(outcomes: readonly DutyOutcome<Result>[]): Promise<void>
  changeLane(laneId: string, change: LaneChange): Promise<void>
}
