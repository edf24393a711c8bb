/**
 * The sender of one process: makes deliveries of stored events, calls the lanes of
 * endpoints that have something due, and works on the lanes that it gets.
 *
 * Several processes do the same side by side: the cursor is one's at a time, a lane too.
 * Whatever is lost with a process (a lane, a note, an outcome) is found again by looking
 * at what is due.
 *
 * Units   milliseconds.
 * Errors  none leave here: a step that fails is reported and comes again.
 */

import type { Endpoint } from '../../systems/events/delivery/endpoint.js'
import type { Deliveries, SealedEndpoint } from '../../systems/events/delivery/store/deliveries.js'
import { delay } from '../lifecycle/interrupt.js'
import { backoffMs } from '../retry/backoff.js'
import { LaneWork, type LaneWorkOptions } from './lane-work.js'
import type { Lane, Lanes } from './lanes.js'
import type { SenderStep } from './observer.js'

export interface SenderOptions
  extends Omit<LaneWorkOptions, 'deliveries' | 'mayGoOn' | 'isCurrent'> {
  readonly deliveries: Deliveries
  readonly lanes: Lanes
  /** Throws an ExpectedError that says why it cannot be used. */
  readonly open: (endpoint: SealedEndpoint) => Endpoint
  readonly maxLanes: number
  /** Less than the time after which a lane counts as lost. */
  readonly keepEveryMs: number
}

/**
 * A page of the fan-out: its transaction is short, and its rows are in the cache when
 * they are sent.
 */
const EVENTS_AT_ONCE = 2_000
const FAN_OUT_EVERY_MS = 100
const CALL_DUE_EVERY_MS = 1_000
const END_AT_ONCE = 5_000
/** Lanes that others have called, and lost ones. */
const TAKE_EVERY_MS = 500
const RETRY = { baseMs: 100, maxMs: 5_000 }
/** An endpoint that cannot be used here is looked at again after this. */
const UNUSABLE_PAUSE_MS = 60_000

export class Sender {
  readonly #options: SenderOptions
  readonly #stopping = new AbortController()
  readonly #working = new Map<Lane, LaneWork | null>()
  readonly #ended = new Set<Promise<void>>()
  readonly #loops: readonly Promise<void>[]
  #isHurried = false
  #endPause: (() => void) | null = null

  constructor(options: SenderOptions) {
    this.#options = options
    this.#loops = [
      this.#repeat('fan-out', () => this.#fanOut()),
      this.#repeat('call-due', () => this.#callDue()),
      this.#repeat('take', () => this.#take()),
      this.#repeat('keep', () => this.#keep())
    ]
  }

  get lanes(): number {
    return this.#working.size
  }

  /**
   * Begins nothing further, waits for the attempts under way and records them. `cutOff`
   * is called when that takes too long.
   */
  async stop(withinMs: number, cutOff: () => void): Promise<void> {
    this.#stopping.abort()
    this.#hurry()
    for (const work of this.#working.values()) work?.stop()
    const cancel = this.#options.clock.after(withinMs, () => {
      cutOff()
      this.#options.recorder.abandon()
    })
    // A lane may still come with the last take.
    await Promise.all(this.#loops)
    await Promise.all(this.#ended)
    cancel()
  }

  /**
   * There is, or may be, a lane to take: also when it came while lanes were being taken.
   */
  #hurry(): void {
    this.#isHurried = true
    this.#endPause?.()
  }

  /** Runs `step` again and again; it says after how long. */
  async #repeat(name: SenderStep, step: () => Promise<number>): Promise<void> {
    const { random, observer } = this.#options
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
      if (waitMs > 0) await this.#pause(name, waitMs)
    }
  }

  async #pause(name: SenderStep, ms: number): Promise<void> {
    if (name !== 'take') {
      await delay(this.#options.clock, ms, this.#stopping.signal)
      return
    }
    if (this.#isHurried) return
    await new Promise<void>(resolve => {
      const cancel = this.#options.clock.after(ms, resolve)
      this.#endPause = () => {
        cancel()
        resolve()
      }
    })
    this.#endPause = null
  }

  async #fanOut(): Promise<number> {
    const made = await this.#options.deliveries.fanOut(EVENTS_AT_ONCE)
    if (made === null) return FAN_OUT_EVERY_MS
    this.#options.observer.fannedOut(made)
    if (made.deliveries > 0) this.#hurry()
    return made.events === EVENTS_AT_ONCE ? 0 : FAN_OUT_EVERY_MS
  }

  async #callDue(): Promise<number> {
    const { deliveries, observer } = this.#options
    const called = await deliveries.callDue()
    if (called > 0) this.#hurry()
    const ended = await deliveries.endDisabled(END_AT_ONCE)
    if (ended > 0) observer.ended(ended)
    return ended === END_AT_ONCE ? 0 : CALL_DUE_EVERY_MS
  }

  async #take(): Promise<number> {
    this.#isHurried = false
    const free = this.#options.maxLanes - this.#working.size
    if (free === 0) return TAKE_EVERY_MS
    for (const lane of await this.#options.lanes.take(free)) {
      this.#working.set(lane, null)
      const ended = this.#work(lane).finally(() => {
        this.#working.delete(lane)
        this.#ended.delete(ended)
      })
      this.#ended.add(ended)
    }
    return TAKE_EVERY_MS
  }

  async #keep(): Promise<number> {
    const lost = await this.#options.lanes.keep([...this.#working.keys()])
    // One that has just been left is not lost; stopping it does nothing.
    for (const lane of lost) this.#working.get(lane)?.stop()
    return this.#options.keepEveryMs
  }

  /**
   * A lane whose work fails is left like one with nothing due: it is called again with
   * what is due, a second later.
   */
  async #work(lane: Lane): Promise<void> {
    const { observer, maxLanes } = this.#options
    const end = await this.#workOn(lane).catch((error: unknown) => {
      observer.failed('lane', error)
      return 'failed' as const
    })
    if (!(await this.#leave(lane, end === 'more'))) return
    if (end !== 'failed') observer.worked('lane')
    if (end === 'more' || this.#working.size >= maxLanes) this.#hurry()
  }

  /**
   * Tries until it works; false when the sender stops first, and the lane is lost in the
   * end.
   */
  async #leave(lane: Lane, callAgain: boolean): Promise<boolean> {
    const { lanes, clock, random, observer } = this.#options
    for (let failures = 1; ; failures++) {
      try {
        await lanes.leave(lane, callAgain)
        return true
      } catch (error) {
        observer.failed('lane', error)
        if (!(await delay(clock, backoffMs(failures, RETRY, random), this.#stopping.signal)))
          return false
      }
    }
  }

  async #workOn(lane: Lane): Promise<'idle' | 'more'> {
    const { deliveries, open } = this.#options
    const sealed = await deliveries.endpoint(lane.endpointId)
    if (sealed === null || this.#stopping.signal.aborted) return 'idle'
    let endpoint: Endpoint
    try {
      endpoint = open(sealed)
    } catch (error) {
      this.#options.observer.failed('lane', error)
      await deliveries.change(sealed.id, {
        kind: 'paused',
        forMs: UNUSABLE_PAUSE_MS,
        circuitOpened: sealed.circuitOpened
      })
      return 'idle'
    }
    const work = new LaneWork(endpoint, {
      ...this.#options,
      mayGoOn: () => this.#working.size < this.#options.maxLanes,
      isCurrent: async () =>
        settingsOf(await deliveries.endpoint(lane.endpointId)) === settingsOf(sealed)
    })
    this.#working.set(lane, work)
    return work.run()
  }
}

/**
 * What people set of an endpoint, to be compared; its health changes by our own doing.
 */
function settingsOf(endpoint: SealedEndpoint | null): string {
  return JSON.stringify({ ...endpoint, failingForMs: null, circuitOpened: null })
}
