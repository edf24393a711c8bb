/**
 * Works for one endpoint: takes what is due, sends it, records what became of it, until
 * nothing is due or the endpoint is better left alone.
 *
 * Up to `maxConcurrency` attempts are under way at once, one for an ordered endpoint;
 * more is read before the last of them have ended, so that one slow answer does not hold
 * up the rest. An ordered endpoint stops at the first failure and is paused until that
 * delivery's next attempt.
 *
 * Units   milliseconds.
 * Errors  StoreError from reading; what is under way is ended first.
 */

import type { Endpoint } from '../../systems/events/delivery/endpoint.js'
import { signedPost } from '../../systems/events/delivery/signed-post.js'
import type {
  Deliveries,
  DueDelivery,
  EndpointChange,
  Then
} from '../../systems/events/delivery/store/deliveries.js'
import type { Judgement } from '../../systems/events/delivery/verdict.js'
import { judge } from '../../systems/events/delivery/verdict.js'
import type { Post } from '../egress/post.js'
import type { PostResult } from '../egress/result.js'
import type { Clock } from '../lifecycle/clock.js'
import { Pace } from '../rate/pace.js'
import { type RetrySchedule, retryInMs } from '../retry/schedule.js'
import { type Circuit, createCircuit } from './circuit.js'
import type { DeliveryObserver } from './observer.js'
import type { Recorder } from './recorder.js'

export interface LaneWorkOptions {
  readonly deliveries: Pick<Deliveries, 'due' | 'change'>
  readonly recorder: Recorder
  readonly post: (post: Post) => Promise<PostResult>
  readonly clock: Clock
  readonly random: () => number
  readonly schedule: RetrySchedule
  /** An endpoint for which nothing has succeeded for so long is disabled. */
  readonly disableAfterMs: number
  readonly observer: DeliveryObserver
  /** False once others wait for a lane. */
  readonly mayGoOn: () => boolean
  /**
   * False once the endpoint is another than the one that is worked for: its URL, secrets,
   * limits or state have changed.
   */
  readonly isCurrent: () => Promise<boolean>
}

/** Why a lane's work has ended: nothing was due, or more may be. */
export type LaneEnd = 'idle' | 'more'

/** Enough for a second of a quick endpoint. */
const READ_AT_ONCE = 500
/**
 * While something is under way, what has become due meanwhile is looked for this often.
 */
const LOOK_AGAIN_MS = 100
/**
 * A lane may be worked on as long as there is something to do, and what people change of
 * its endpoint must count soon.
 */
const LOOK_AT_ENDPOINT_EVERY_MS = 5_000
/** A turn, when others wait. */
const TURN_MS = 1_000

export class LaneWork {
  readonly #endpoint: Endpoint
  readonly #options: LaneWorkOptions
  readonly #circuit: Circuit
  readonly #pace: Pace
  readonly #ready: DueDelivery[] = []
  /** Read, and not recorded yet. */
  readonly #open = new Set<string>()
  readonly #records = new Set<Promise<void>>()
  #reading: Promise<void> | null = null
  #isStopped = false
  #end: LaneEnd = 'idle'
  #underWay = 0
  #paused: { readonly forMs: number; readonly circuitOpened: number } | null = null
  #failure: Error | null = null
  #lookedAtEndpointMs: number
  /** When it began to fail, on the monotonic clock; null after a success. */
  #failingSinceMs: number | null
  #isFailingInStore: boolean

  constructor(endpoint: Endpoint, options: LaneWorkOptions) {
    const { clock, random } = options
    this.#endpoint = endpoint
    this.#options = options
    this.#circuit = createCircuit(endpoint.circuitOpened, random)
    this.#lookedAtEndpointMs = clock.monotonicMs()
    this.#pace = new Pace(endpoint.maxPerSecond, clock)
    this.#isFailingInStore = endpoint.failingForMs !== null || endpoint.circuitOpened > 0
    this.#failingSinceMs =
      endpoint.failingForMs === null ? null : clock.monotonicMs() - endpoint.failingForMs
  }

  /** Nothing further is begun: the lane is lost, or the process ends. */
  stop(): void {
    this.#isStopped = true
    this.#pace.hurry()
  }

  async run(): Promise<LaneEnd> {
    const turnEndsMs = this.#options.clock.monotonicMs() + TURN_MS
    const slots = Array.from(
      { length: this.#endpoint.isOrdered ? 1 : this.#endpoint.maxConcurrency },
      () => this.#work(turnEndsMs)
    )
    await Promise.all(slots)
    await Promise.all(this.#records)
    await this.#noteHealth()
    if (this.#failure !== null) throw this.#failure
    return this.#end
  }

  async #work(turnEndsMs: number): Promise<void> {
    for (;;) {
      if (this.#options.clock.monotonicMs() > turnEndsMs && !this.#options.mayGoOn())
        this.#finish('more')
      if (this.#isStopped) return
      const next = await this.#next()
      if (next === null) return
      this.#underWay += 1
      await this.#deliver(next).catch((error: unknown) => this.#fail(error))
      this.#underWay -= 1
    }
  }

  #finish(end: LaneEnd): void {
    if (!this.#isStopped) this.#end = end
    this.stop()
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error))
    this.stop()
  }

  /** Null when there is nothing more to begin. */
  async #next(): Promise<DueDelivery | null> {
    while (!this.#isStopped) {
      const next = this.#ready.shift()
      if (next !== undefined) return next
      this.#reading ??= this.#read().finally(() => (this.#reading = null))
      const isAlone = this.#underWay === 0
      await this.#reading
      if (this.#ready.length > 0) continue
      // The last one turns off the light: others may still bring time for more to become
      // due.
      if (isAlone || this.#underWay === 0) return null
      await new Promise<void>(resolve => this.#options.clock.after(LOOK_AGAIN_MS, resolve))
    }
    return null
  }

  async #read(): Promise<void> {
    try {
      if (!(await this.#isCurrent())) {
        this.#finish('more')
        return
      }
      const limit = this.#endpoint.isOrdered ? 1 : READ_AT_ONCE
      // An ordered endpoint's next delivery is read when the one before it is recorded.
      if (this.#endpoint.isOrdered) await Promise.all(this.#records)
      const due = await this.#options.deliveries.due(this.#endpoint.id, limit, [...this.#open])
      for (const { id } of due) this.#open.add(id)
      this.#ready.push(...due)
    } catch (error) {
      this.#fail(error)
    }
  }

  async #isCurrent(): Promise<boolean> {
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs - this.#lookedAtEndpointMs < LOOK_AT_ENDPOINT_EVERY_MS) return true
    this.#lookedAtEndpointMs = nowMs
    return this.#options.isCurrent()
  }

  async #deliver(delivery: DueDelivery): Promise<void> {
    await this.#pace.wait()
    if (this.#isStopped) return
    const { clock, observer } = this.#options
    const startedAtMs = clock.epochMs()
    const made = await this.#circuit.attempt(async () => {
      const result = await this.#options.post(signedPost(this.#endpoint, delivery, startedAtMs))
      const judgement = judge(result)
      // What we cut off ourselves says nothing about the endpoint.
      return { result, judgement, isFailure: judgement.kind !== 'delivered' && !isCutOff(result) }
    })
    if (made === null) return this.#pause(this.#circuit.pauseMs ?? 0)
    const { result, judgement, isFailure } = made
    if (isCutOff(result)) return
    const then = this.#then(delivery, judgement)
    const attempt = delivery.attempts + 1
    if (delivery.attempts === 0)
      observer.attemptedFirst(this.#endpoint, startedAtMs - delivery.receivedAtMs)
    observer.attempted(this.#endpoint, delivery, attempt, result, then)
    this.#noteResult(isFailure)
    this.#record({
      deliveryId: delivery.id,
      attempt,
      startedAtMs,
      durationMs: result.ms,
      ...(result.kind === 'answered'
        ? { status: result.status, errorClass: null, response: result.responseHead }
        : { status: null, errorClass: result.errorClass, response: result.detail }),
      then
    })
    if (judgement.kind === 'gone') return this.#disable('the endpoint answered 410 Gone')
    if (judgement.kind === 'retry' && judgement.notBeforeMs > 0)
      await this.#pause(judgement.notBeforeMs)
    if (this.#circuit.pauseMs !== null) await this.#pause(this.#circuit.pauseMs)
    if (this.#endpoint.isOrdered && then.state === 'pending') await this.#pause(then.retryInMs)
  }

  #then(delivery: DueDelivery, judgement: Judgement): Then {
    if (judgement.kind === 'delivered') return { state: 'delivered' }
    const { schedule, random } = this.#options
    const inMs = retryInMs(
      schedule,
      delivery.scheduled + 1,
      judgement.kind === 'retry' ? judgement.notBeforeMs : 0,
      random
    )
    return inMs === null ? { state: 'dead' } : { state: 'pending', retryInMs: inMs }
  }

  #record(outcome: Parameters<Recorder['record']>[0]): void {
    const record = this.#options.recorder
      .record(outcome)
      .then(() => void this.#open.delete(outcome.deliveryId))
      .finally(() => this.#records.delete(record))
    this.#records.add(record)
  }

  #noteResult(isFailure: boolean): void {
    if (!isFailure) this.#failingSinceMs = null
    else this.#failingSinceMs ??= this.#options.clock.monotonicMs()
  }

  /**
   * Tells the database, at the end and not at each change: an endpoint that fails now and
   * then would cost a write each time.
   */
  async #noteHealth(): Promise<void> {
    const sinceMs = this.#failingSinceMs
    if (sinceMs === null) {
      if (this.#isFailingInStore) await this.#change({ kind: 'healthy' })
      return
    }
    const failingForMs = this.#options.clock.monotonicMs() - sinceMs
    if (failingForMs > this.#options.disableAfterMs)
      return this.#disable(`no attempt has succeeded for ${inHours(failingForMs)} hours`)
    if (this.#endpoint.failingForMs === null)
      await this.#change({ kind: 'failing', forMs: failingForMs })
  }

  /**
   * Attempts that are under way at once ask one after the other: told is what is more
   * than was told before.
   */
  async #pause(forMs: number): Promise<void> {
    this.#finish('idle')
    const circuitOpened = this.#circuit.opened
    if (
      this.#paused !== null &&
      forMs <= this.#paused.forMs &&
      circuitOpened === this.#paused.circuitOpened
    )
      return
    this.#paused = { forMs: Math.max(forMs, this.#paused?.forMs ?? 0), circuitOpened }
    await this.#change({ kind: 'paused', ...this.#paused })
    this.#options.observer.paused(this.#endpoint, forMs)
  }

  async #disable(reason: string): Promise<void> {
    this.#finish('idle')
    await this.#change({ kind: 'disabled', reason })
    this.#options.observer.disabled(this.#endpoint, reason)
  }

  #change(change: EndpointChange): Promise<void> {
    return this.#options.deliveries.change(this.#endpoint.id, change)
  }
}

function isCutOff(result: PostResult): boolean {
  return result.kind === 'failed' && result.errorClass === 'stopped'
}

function inHours(ms: number): string {
  return (ms / 3_600_000).toFixed(1)
}
