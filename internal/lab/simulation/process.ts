/**
 * One life of a worker: from its start until it is killed or ends. Nothing of a dead one
 * moves anything any more.
 *
 * Shapes  whatever reaches a process (answers, timers) goes through `after`, so that a
 *         dead one hears nothing and a paused one hears it when it goes on. What it sends
 *         goes through `world.scheduler`, because a packet that has left may arrive after
 *         its sender's death.
 * Units   virtual milliseconds.
 */
import type { Clock } from '../../engine/lifecycle/clock.js'
import type { CrashPoint } from './faults.js'
import type { World } from './world.js'

const EPOCH_MS = 1_700_000_000_000

export class SimulatedProcess {
  readonly name: string
  readonly worker: number
  readonly clock: Clock
  isAlive = true
  wasKilled = false
  /** Whether the last that it heard of the database is a fault of the database. */
  isDatabaseFailing = false
  /** Until then the heartbeat waits for an answer. */
  heartbeatHangsUntilMs = 0
  /** Whether packets that are under way when it dies are lost. */
  losesPackets = false
  /** Hears of each call to a port. */
  onCall: (name: string) => void = () => undefined
  readonly #world: World
  readonly #onDeath: (process: SimulatedProcess) => void
  #goesOnAtMs = 0

  constructor(
    world: World,
    worker: number,
    life: number,
    onDeath: (process: SimulatedProcess) => void
  ) {
    this.#world = world
    this.#onDeath = onDeath
    this.worker = worker
    this.name = `worker ${worker}.${life}`
    this.clock = {
      monotonicMs: () => world.nowMs,
      epochMs: () => EPOCH_MS + world.nowMs,
      after: (ms, fn) => this.after(ms, fn)
    }
  }

  get isPaused(): boolean {
    return this.#world.nowMs < this.#goesOnAtMs
  }

  /** Whether what it sent reaches the other side. */
  get isHeard(): boolean {
    return this.isAlive || !this.losesPackets
  }

  after(ms: number, fn: () => void): () => void {
    const { scheduler } = this.#world
    const fire = (): void => {
      if (!this.isAlive) return
      if (this.isPaused) cancel = scheduler.after(this.#goesOnAtMs - scheduler.nowMs, fire)
      else fn()
    }
    let cancel = scheduler.after(ms, fire)
    return () => cancel()
  }

  sleep(ms: number): Promise<void> {
    return new Promise(resolve => this.after(ms, resolve))
  }

  /** Stands still from now on. */
  pause(ms: number): void {
    this.#goesOnAtMs = Math.max(this.#goesOnAtMs, this.#world.nowMs + ms)
  }

  /** Marks a moment at which the plan may kill the process; true when it did. */
  dies(point: CrashPoint): boolean {
    if (!this.isAlive || !this.#world.faults.kills(this.worker, point)) return false
    this.#world.note(this.name, 'is killed at', point)
    this.kill()
    return true
  }

  kill(): void {
    if (!this.isAlive) return
    this.wasKilled = true
    this.losesPackets = this.#world.dice.chance(0.5)
    this.end()
  }

  end(): void {
    this.isAlive = false
    this.#onDeath(this)
  }
}

/** The answer to a call of a process that is dead by now. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined)
}
