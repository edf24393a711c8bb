/**
 * Keeps the workers running: forks them, restarts dead ones, and stops all of them in
 * order.
 *
 * A worker that dies soon after its start is in a crash loop: each next start waits
 * longer, from 1 s up to 60 s. One that lived for a while is restarted after a second. A
 * worker that has reported and then falls silent is blocked for good (an endless loop, a
 * stopped process) and holds its messages: it is killed and restarted.
 *
 * Units   milliseconds.
 */

import type { Clock } from '../lifecycle/clock.js'
import { backoffMs } from '../retry/backoff.js'
import type { ChannelMessage, StopMessage } from './protocol.js'

/** A forked process, reduced to what is needed here. */
export interface WorkerProcess<Told, Heard> {
  readonly id: number
  readonly pid: number
  send(message: Told | StopMessage): void
  kill(): void
  onMessage(listener: (message: Heard) => void): void
  onExit(listener: (how: string) => void): void
}

export interface SupervisorOptions<Told, Heard> {
  readonly workers: number
  readonly fork: () => WorkerProcess<Told, Heard>
  readonly clock: Clock
  readonly random: () => number
  readonly onStarted: (worker: WorkerProcess<Told, Heard>) => void
  readonly onHeard: (workerId: number, message: Heard) => void
  /** A worker that used to report has not done so for `silentMs`: it is being killed. */
  readonly onSilent: (worker: WorkerProcess<Told, Heard>, silentMs: number) => void
  /**
   * A worker is gone; `restartInMs` is null while stopping. Awaited before the supervisor
   * counts as stopped.
   */
  readonly onExited: (
    worker: WorkerProcess<Told, Heard>,
    how: string,
    restartInMs: number | null
  ) => Promise<void>
}

const RESTART = { baseMs: 1_000, maxMs: 60_000 }
/**
 * Reports come each second; a large batch or a busy machine delays a few, but not this
 * many.
 */
const SILENT_MS = 60_000
const CHECK_EVERY_MS = 5_000
/** A worker that lived this long was not in a crash loop. */
const SETTLED_MS = 30_000

export class Supervisor<Told extends ChannelMessage, Heard extends ChannelMessage> {
  readonly #options: SupervisorOptions<Told, Heard>
  readonly #running = new Map<number, WorkerProcess<Told, Heard>>()
  /** When each worker last reported; those that never did are still starting. */
  readonly #reportedAtMs = new Map<number, number>()
  #checkedAtMs: number
  #cancelCheck = (): void => undefined
  readonly #exits = new Set<Promise<void>>()
  readonly #cancelRestarts = new Set<() => void>()
  #isStopping = false
  #onEmpty: (() => void) | null = null

  constructor(options: SupervisorOptions<Told, Heard>) {
    this.#options = options
    this.#checkedAtMs = options.clock.monotonicMs()
    this.#checkReports()
    for (let slot = 0; slot < options.workers; slot++) this.#start(0)
  }

  /**
   * Asks all workers to drain, and kills those still running after `withinMs`. Resolves
   * when none is left.
   */
  async stop(withinMs: number): Promise<void> {
    this.#isStopping = true
    this.#cancelCheck()
    for (const cancel of this.#cancelRestarts) cancel()
    this.tell({ kind: 'stop' })
    const cancelKill = this.#options.clock.after(withinMs, () => {
      for (const worker of this.#running.values()) worker.kill()
    })
    if (this.#running.size > 0) await new Promise<void>(resolve => (this.#onEmpty = resolve))
    cancelKill()
    await Promise.all(this.#exits)
  }

  /** Sends a message to all running workers. */
  tell(message: Told | StopMessage): void {
    for (const worker of this.#running.values()) worker.send(message)
  }

  #checkReports(): void {
    const nowMs = this.#options.clock.monotonicMs()
    // This process stood still itself: their reports are waiting to be read.
    const wasAway = nowMs - this.#checkedAtMs > 2 * CHECK_EVERY_MS
    this.#checkedAtMs = nowMs
    for (const [id, reportedAtMs] of this.#reportedAtMs) {
      const worker = this.#running.get(id)
      if (wasAway) this.#reportedAtMs.set(id, nowMs)
      else if (worker !== undefined && nowMs - reportedAtMs > SILENT_MS) {
        this.#reportedAtMs.delete(id)
        this.#options.onSilent(worker, nowMs - reportedAtMs)
        worker.kill()
      }
    }
    this.#cancelCheck = this.#options.clock.after(CHECK_EVERY_MS, () => this.#checkReports())
  }

  #start(crashes: number): void {
    const { clock, fork, onStarted, onHeard, onExited } = this.#options
    const worker = fork()
    const startedMs = clock.monotonicMs()
    this.#running.set(worker.id, worker)
    worker.onMessage(message => {
      if (message.kind === 'report') this.#reportedAtMs.set(worker.id, clock.monotonicMs())
      onHeard(worker.id, message)
    })
    worker.onExit(how => {
      this.#running.delete(worker.id)
      this.#reportedAtMs.delete(worker.id)
      const hasSettled = clock.monotonicMs() - startedMs >= SETTLED_MS
      const restartInMs = this.#isStopping ? null : this.#restart(hasSettled ? 1 : crashes + 1)
      const exit = onExited(worker, how, restartInMs).finally(() => this.#exits.delete(exit))
      this.#exits.add(exit)
      if (this.#running.size === 0) this.#onEmpty?.()
    })
    onStarted(worker)
  }

  #restart(crashes: number): number {
    const delayMs = backoffMs(crashes, RESTART, this.#options.random)
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#cancelRestarts.delete(cancel)
      this.#start(crashes)
    })
    this.#cancelRestarts.add(cancel)
    return delayMs
  }
}
