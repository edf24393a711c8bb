/**
 * One life of a worker, from its start until it is killed or ends. A dead process has no
 * further effect.
 *
 * Everything that reaches a process (answers, timers) goes through `after`: a dead
 * process receives nothing, and a paused one receives it when it resumes. What a process
 * sends goes through `world.scheduler`, because a packet may arrive after its sender's
 * death.
 *
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
  /** Whether its last answer from the database was a database fault. */
  isDatabaseFailing = false
  /** The heartbeat waits for an answer until then. */
  heartbeatHangsUntilMs = 0
  /** Whether its death loses packets that are under way. */
  losesPackets = false
  /** Called for each call to a port. */
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

  /** Whether its packets reach the other side. */
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

  /** Freezes the process from now on. */
  pause(ms: number): void {
    this.#goesOnAtMs = Math.max(this.#goesOnAtMs, this.#world.nowMs + ms)
  }

  /** Marks a point at which the plan may kill the process; returns whether it did. */
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

/** The answer to a call whose process has died meanwhile. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined)
}
