/**
 * One line of batches: while one is being written, what arrives is the next one, so an
 * idle system commits after one round trip and a busy one in large batches (BatchLimits
 * has the rule).
 *
 * Units   milliseconds.
 * Errors  `write` does not reject.
 */

import type { Clock } from '../lifecycle/clock.js'
import type { Entry } from '../message/message.js'
import { Backlog } from './backlog.js'
import type { BatchLimits, FlushCause } from './batch.js'

export interface CommitLaneOptions {
  readonly clock: Clock
  readonly limits: BatchLimits
  /** How large a client's turn is, next to others'. */
  readonly weightOf: (client: string) => number
  /**
   * Whether more messages may come while a batch waits for company; when that ends,
   * `hurry` is called.
   */
  readonly isReceiving: () => boolean
  /** The next batch is about to be taken. */
  readonly onTake: (backlog: Backlog) => void
  readonly write: (entries: readonly Entry[], cause: FlushCause) => Promise<void>
}

export class CommitLane {
  readonly #options: CommitLaneOptions
  readonly #backlog: Backlog
  #isRunning = false
  #isDraining = false
  #drained: (() => void)[] = []
  #endLinger: (() => void) | null = null

  constructor(options: CommitLaneOptions) {
    this.#options = options
    this.#backlog = new Backlog(options.limits, options.weightOf)
  }

  /** Puts an entry in line; `go` when all that came together are. */
  add(entry: Entry): void {
    this.#backlog.add(entry)
  }

  go(): void {
    if (this.#backlog.isEmpty) return
    if (this.#backlog.overflows) this.hurry()
    if (!this.#isRunning) void this.#run()
  }

  /** Ends a wait for company: the open batch is full, or nothing more can come. */
  hurry(): void {
    this.#endLinger?.()
  }

  /**
   * Resolves when all that was added is written. From now on nothing waits for company.
   */
  drain(): Promise<void> {
    this.#isDraining = true
    this.hurry()
    if (!this.#isRunning) return Promise.resolve()
    return new Promise(resolve => this.#drained.push(resolve))
  }

  /** Drops what waits. */
  abandon(): void {
    this.#backlog.clear()
    this.hurry()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    let isBusy = false
    while (!this.#backlog.isEmpty) {
      const hasWaited = isBusy && (await this.#company())
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
  async #company(): Promise<boolean> {
    const { clock, isReceiving, limits } = this.#options
    if (this.#backlog.overflows || this.#isDraining || limits.lingerMs === 0 || !isReceiving())
      return false
    await new Promise<void>(resolve => {
      const cancel = clock.after(limits.lingerMs, resolve)
      this.#endLinger = () => {
        cancel()
        resolve()
      }
    })
    this.#endLinger = null
    return true
  }
}
