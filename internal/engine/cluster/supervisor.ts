/**
 * Keeps the workers running: forks them, starts a dead one again, ends all of them in
 * order.
 *
 * A worker that dies soon after its start is in a crash loop: each next start waits
 * longer, from 1 s up to 60 s. One that has lived for a while is started again after a
 * second. A worker that has reported and then falls silent is blocked for good (a loop
 * without end in its code, a stopped process) and holds its messages: it is killed and
 * started again.
 *
 * Units   milliseconds.
 */

import type { Clock } from '../lifecycle/clock.js'
import { backoffMs } from '../retry/backoff.js'
import type { ChannelMessage, StopMessage } from './protocol.js'

/** A forked process, as much of it as is needed here. */
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
 * Reports come each second; a large batch or a busy machine may hold some up, but not so
 * many.
 */
const SILENT_MS = 60_000
const LOOK_EVERY_MS = 5_000
/** A worker that lived this long was not in a crash loop. */
const SETTLED_MS = 30_000

export class Supervisor<Told extends ChannelMessage, Heard extends ChannelMessage> {
  readonly #options: SupervisorOptions<Told, Heard>
  readonly #running = new Map<number, WorkerProcess<Told, Heard>>()
  /** When each last reported; those that never did are still starting. */
  readonly #reportedAtMs = new Map<number, number>()
  #lookedAtMs: number
  #cancelLook = (): void => undefined
  readonly #farewells = new Set<Promise<void>>()
  readonly #cancelRestarts = new Set<() => void>()
  #isStopping = false
  #onEmpty: (() => void) | null = null

  constructor(options: SupervisorOptions<Told, Heard>) {
    this.#options = options
    this.#lookedAtMs = options.clock.monotonicMs()
    this.#look()
    for (let slot = 0; slot < options.workers; slot++) this.#start(0)
  }

  /**
   * Asks all workers to drain; kills what is still there after `withinMs`. Resolves when
   * none is left.
   */
  async stop(withinMs: number): Promise<void> {
    this.#isStopping = true
    this.#cancelLook()
    for (const cancel of this.#cancelRestarts) cancel()
    this.tell({ kind: 'stop' })
    const cancelKill = this.#options.clock.after(withinMs, () => {
      for (const worker of this.#running.values()) worker.kill()
    })
    if (this.#running.size > 0) await new Promise<void>(resolve => (this.#onEmpty = resolve))
    cancelKill()
    await Promise.all(this.#farewells)
  }

  /** Says it to all workers. */
  tell(message: Told | StopMessage): void {
    for (const worker of this.#running.values()) worker.send(message)
  }

  #look(): void {
    const nowMs = this.#options.clock.monotonicMs()
    // We were the ones that stood still: their reports are waiting to be read.
    const wasAway = nowMs - this.#lookedAtMs > 2 * LOOK_EVERY_MS
    this.#lookedAtMs = nowMs
    for (const [id, reportedAtMs] of this.#reportedAtMs) {
      const worker = this.#running.get(id)
      if (wasAway) this.#reportedAtMs.set(id, nowMs)
      else if (worker !== undefined && nowMs - reportedAtMs > SILENT_MS) {
        this.#reportedAtMs.delete(id)
        this.#options.onSilent(worker, nowMs - reportedAtMs)
        worker.kill()
      }
    }
    this.#cancelLook = this.#options.clock.after(LOOK_EVERY_MS, () => this.#look())
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
      const farewell = onExited(worker, how, restartInMs).finally(() =>
        this.#farewells.delete(farewell)
      )
      this.#farewells.add(farewell)
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
