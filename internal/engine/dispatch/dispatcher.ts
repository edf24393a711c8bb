/**
 * Dispatches a system's duties in one process: wakes the lanes that have something due,
 * claims some of them and works on those.
 *
 * Several processes do this side by side; each lane belongs to one process at a time.
 * Anything lost with a process (a lane, a note, an outcome) is found again by looking at
 * what is due.
 *
 * Units   milliseconds.
 * Errors  none leave here: a step that fails is reported and repeated.
 */
import { delay } from '../lifecycle/interrupt.js'
import { backoffMs } from '../retry/backoff.js'
import type { Chore, Dispatch, DueDuty } from './dispatch.js'
import { type LaneEnd, LaneWork, type LaneWorkOptions } from './lane-work.js'
import type { ClaimedLane, Lanes } from './lanes.js'
import type { DispatchStep } from './observer.js'
import { Recorder } from './recorder.js'

export interface DispatcherOptions<Lane, Duty extends DueDuty, Result>
  extends Omit<LaneWorkOptions<Lane, Duty, Result>, 'dispatch' | 'recorder' | 'mayGoOn'> {
  readonly dispatch: Dispatch<Lane, Duty, Result>
  readonly lanes: Lanes
  readonly maxLanes: number
  /** Less than the time after which a lane counts as lost. */
  readonly renewEveryMs: number
}

const WAKE_DUE_EVERY_MS = 1_000
/** For lanes that other processes have woken, and lost ones. */
const CLAIM_EVERY_MS = 500
const RETRY = { baseMs: 100, maxMs: 5_000 }
/** A lane that cannot be used here is tried again after this. */
const UNUSABLE_PAUSE_MS = 60_000

export class Dispatcher<Lane, Duty extends DueDuty, Result> {
  readonly #options: DispatcherOptions<Lane, Duty, Result>
  readonly #recorder: Recorder<Result>
  readonly #stopping = new AbortController()
  readonly #working = new Map<ClaimedLane, LaneWork<Lane, Duty, Result> | null>()
  readonly #ended = new Set<Promise<void>>()
  readonly #loops: readonly Promise<void>[]
  /** Aborted when there may be a lane to claim, even while lanes are being claimed. */
  #claimWait = new AbortController()

  constructor(options: DispatcherOptions<Lane, Duty, Result>) {
    const { dispatch, clock, random, observer } = options
    this.#options = options
    this.#recorder = new Recorder({
      settle: outcomes => dispatch.settle(outcomes),
      clock,
      random,
      onFault: error => this.#failed('record', error),
      onRecorded: () => observer.worked('record')
    })
    this.#loops = [
      ...dispatch.chores.map(chore => this.#repeat(chore.name, () => this.#runChore(chore))),
      this.#repeat('wake-due', () => this.#wakeDue()),
      this.#repeat(
        'claim',
        () => this.#claim(),
        () => this.#claimWait.signal
      ),
      this.#repeat('renew', () => this.#renew())
    ]
  }

  /** Lanes that are being worked on. */
  get lanes(): number {
    return this.#working.size
  }

  /**
   * Begins nothing further, waits for the attempts under way and records them. `cutOff`
   * is called when that takes too long.
   */
  async stop(withinMs: number, cutOff: () => void): Promise<void> {
    this.#stopping.abort()
    this.#claimWait.abort()
    for (const work of this.#working.values()) work?.stop()
    const cancel = this.#options.clock.after(withinMs, () => {
      cutOff()
      this.#recorder.abandon()
    })
    // The last claim may still bring a lane.
    await Promise.all(this.#loops)
    await Promise.all(this.#ended)
    cancel()
  }

  /**
   * Runs `step` again and again. It returns the wait before its next run, and `cut` ends
   * that wait.
   */
  async #repeat(
    name: string,
    step: () => Promise<number>,
    cut: () => AbortSignal = () => this.#stopping.signal
  ): Promise<void> {
    const { clock, random, observer } = this.#options
    for (let failures = 0; !this.#stopping.signal.aborted; ) {
      let waitMs: number
      try {
        waitMs = await step()
        failures = 0
        observer.worked(name)
      } catch (error) {
        failures += 1
        observer.failed(name, error)
        waitMs = backoffMs(failures, RETRY, random)
      }
      if (waitMs > 0) await delay(clock, waitMs, cut())
    }
  }

  async #runChore(chore: Chore): Promise<number> {
    const { isMore, hasWoken } = await chore.run()
    if (hasWoken) this.#claimWait.abort()
    return isMore ? 0 : chore.everyMs
  }

  async #wakeDue(): Promise<number> {
    if ((await this.#options.dispatch.wakeDue()) > 0) this.#claimWait.abort()
    return WAKE_DUE_EVERY_MS
  }

  async #claim(): Promise<number> {
    this.#claimWait = new AbortController()
    const free = this.#options.maxLanes - this.#working.size
    if (free === 0) return CLAIM_EVERY_MS
    for (const claimed of await this.#options.lanes.claim(free)) {
      this.#working.set(claimed, null)
      const ended = this.#work(claimed).finally(() => this.#ended.delete(ended))
      this.#ended.add(ended)
    }
    return CLAIM_EVERY_MS
  }

  async #renew(): Promise<number> {
    const lost = await this.#options.lanes.renew([...this.#working.keys()])
    // One that has just been released is not lost; stopping it does nothing.
    for (const claimed of lost) this.#working.get(claimed)?.stop()
    return this.#options.renewEveryMs
  }

  /**
   * A lane whose work fails is released like one with nothing due: a second later it is
   * woken again if something is due.
   */
  async #work(claimed: ClaimedLane): Promise<void> {
    const { observer, maxLanes } = this.#options
    const end = await this.#workOn(claimed).catch((error: unknown) => {
      this.#failed('lane', error)
      return 'failed' as const
    })
    const isReleased = await this.#release(claimed, end === 'more')
    const wasFull = this.#working.size >= maxLanes
    this.#working.delete(claimed)
    if (!isReleased) return
    if (end !== 'failed') observer.worked('lane')
    if (end === 'more' || wasFull) this.#claimWait.abort()
  }

  async #workOn(claimed: ClaimedLane): Promise<LaneEnd> {
    const { laneId } = claimed
    const { dispatch, maxLanes } = this.#options
    const found = await dispatch.find(laneId)
    if (found === null || this.#stopping.signal.aborted) return 'idle'
    let lane: Lane
    try {
      lane = found.open()
    } catch (error) {
      this.#failed('lane', error)
      const { circuitOpened } = found
      await dispatch.changeLane(laneId, { kind: 'paused', forMs: UNUSABLE_PAUSE_MS, circuitOpened })
      return 'idle'
    }
    const work = new LaneWork(
      { laneId, found, lane },
      {
        ...this.#options,
        recorder: this.#recorder,
        mayGoOn: () => this.#working.size < maxLanes
      }
    )
    this.#working.set(claimed, work)
    return work.run()
  }

  /**
   * Tries until it succeeds; false when the process stops first, and the lane counts as
   * lost in the end.
   */
  async #release(claimed: ClaimedLane, wakeAgain: boolean): Promise<boolean> {
    const { lanes, clock, random } = this.#options
    for (let failures = 1; ; failures++) {
      try {
        await lanes.release(claimed, wakeAgain)
        return true
      } catch (error) {
        this.#failed('lane', error)
        if (!(await delay(clock, backoffMs(failures, RETRY, random), this.#stopping.signal)))
          return false
      }
    }
  }

  #failed(step: DispatchStep, error: unknown): void {
    this.#options.observer.failed(step, error)
  }
}
