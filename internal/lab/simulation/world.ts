/**
 * What all parts of one simulation share: time, random numbers, faults, the trace, and
 * the first violated invariant.
 */
import { Dice } from './dice.js'
import { Faults } from './faults.js'
import type { Schedule } from './schedule.js'
import { Scheduler } from './scheduler.js'
import { Trace } from './trace.js'

export interface BrokenPromise {
  /**
   * The invariant's number in internal/docs/architecture.md, or the name of another
   * promise.
   */
  readonly invariant: string
  readonly what: string
}

export class World {
  readonly schedule: Schedule
  readonly scheduler = new Scheduler()
  readonly dice: Dice
  readonly faults: Faults
  readonly trace = new Trace()
  violation: BrokenPromise | null = null

  constructor(schedule: Schedule) {
    this.schedule = schedule
    this.dice = new Dice(schedule.seed, 'world')
    this.faults = new Faults(schedule.faults, () => this.scheduler.nowMs)
  }

  get nowMs(): number {
    return this.scheduler.nowMs
  }

  /** Recorded, not thrown: the code under test would catch it and carry on. */
  violate(invariant: string, what: string): void {
    this.note('checker', `${invariant} violated:`, what)
    this.violation ??= { invariant, what }
  }

  note(who: string, what: string, detail: string | number = ''): void {
    this.trace.add(this.scheduler.nowMs, who, what, detail)
  }

  /** The travel time of a packet. */
  latencyMs(): number {
    return this.dice.scale(0.2, 10)
  }
}
