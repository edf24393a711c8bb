/**
 * One lane of batches. While one batch is being written, arriving entries form the next
 * one. So an idle system commits after one round trip, and a busy one in large batches
 * (BatchLimits has the rule).
 *
 * Units   milliseconds.
 * Errors  `write` must not reject.
 */

import type { Clock } from '../lifecycle/clock.js'
import { delay } from '../lifecycle/interrupt.js'
import type { Entry, Rejection } from '../message/message.js'
import { Backlog } from './backlog.js'
import type { BatchLimits, FlushCause } from './batch.js'
import type { Turns } from './turns.js'

export interface CommitLaneOptions<Item, Refused extends Rejection = Rejection> {
  readonly clock: Clock
  readonly limits: BatchLimits
  readonly turns: Turns<Item, Refused>
  /**
   * Whether more messages may come while a batch lingers. When that changes to false,
   * call `flush`.
   */
  readonly isReceiving: () => boolean
  /** The next batch is about to be taken. */
  readonly onTake: (backlog: Backlog<Item, Refused>) => void
  readonly write: (entries: readonly Entry<Item, Refused>[], cause: FlushCause) => Promise<void>
}

export class CommitLane<Item, Refused extends Rejection = Rejection> {
  readonly #options: CommitLaneOptions<Item, Refused>
  readonly #backlog: Backlog<Item, Refused>
  #isRunning = false
  #isDraining = false
  #drained: (() => void)[] = []
  /** A new one for each linger. */
  #lingering = new AbortController()

  constructor(options: CommitLaneOptions<Item, Refused>) {
    this.#options = options
    this.#backlog = new Backlog(options.limits, options.turns)
  }

  /** Queues an entry; call `start` once all entries that arrived together are queued. */
  add(entry: Entry<Item, Refused>): void {
    this.#backlog.add(entry)
  }

  start(): void {
    if (this.#backlog.isEmpty) return
    if (this.#backlog.overflows) this.flush()
    if (!this.#isRunning) void this.#run()
  }

  /** Ends the linger: the open batch is full, or nothing more can come. */
  flush(): void {
    this.#lingering.abort()
  }

  /** Resolves when everything added is written. From now on no batch lingers. */
  drain(): Promise<void> {
    this.#isDraining = true
    this.flush()
    if (!this.#isRunning) return Promise.resolve()
    return new Promise(resolve => this.#drained.push(resolve))
  }

  /** Drops everything that waits. */
  abandon(): void {
    this.#backlog.clear()
    this.flush()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    let isBusy = false
    while (!this.#backlog.isEmpty) {
      const hasWaited = isBusy && (await this.#linger())
      this.#options.onTake(this.#backlog)
      const { entries, reached } = this.#backlog.take()
      if (entries.length === 0) break
      await this.#options.write(entries, reached ?? (hasWaited ? 'linger' : 'free'))
      isBusy = entries.length >= this.#options.limits.busyMessages
    }
    this.#isRunning = false
    for (const resolve of this.#drained.splice(0)) resolve()
  }

  /** Gives the open batch time to fill; false when there was no need to wait. */
  async #linger(): Promise<boolean> {
    const { clock, isReceiving, limits } = this.#options
    if (this.#backlog.overflows || this.#isDraining || limits.lingerMs === 0 || !isReceiving())
      return false
    this.#lingering = new AbortController()
    await delay(clock, limits.lingerMs, this.#lingering.signal)
    return true
  }
}
