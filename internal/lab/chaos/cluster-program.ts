/**
 * The built processor or sender: a primary with workers, started as a user would start
 * it, and restarted whenever its primary has ended.
 *
 * Errors  rejects when it does not start; what it does wrong while running goes to
 *         `onWrong`.
 */
import { createWriteStream, type WriteStream } from 'node:fs'
import { join } from 'node:path'
import { BuiltProgram, type ProgramEnd, programEntry } from '../programs/built-program.js'
import { eventually } from '../programs/eventually.js'
import { findRunning, isRunning, signal, untilGone } from '../programs/processes.js'
import { ProgramLog } from './program-log.js'
import { SHUTDOWN_TIMEOUT_MS } from './settings.js'

export interface ClusterProgramOptions {
  readonly name: 'processor' | 'sender'
  /** Its working directory, without a user's .env. Its log goes there too. */
  readonly directory: string
  readonly environment: Readonly<Record<string, string>>
  readonly onWrong: (text: string) => void
}

const START_MS = 60_000
/** What a program may need beyond its own deadline when the machine is busy. */
const MARGIN_MS = 5_000

/** One life of the primary and its workers. */
interface Life {
  readonly program: BuiltProgram
  readonly log: ProgramLog
  readonly startedAtMs: number
  /** Null until it has ended. */
  end: ProgramEnd | null
}

export class ClusterProgram {
  readonly #options: ClusterProgramOptions
  readonly #logFile: WriteStream
  readonly #killed = new Set<number>()
  readonly #lives: Life[] = []
  /** By `kill -9`, so far. */
  readonly kills = { worker: 0, primary: 0 }

  constructor(options: ClusterProgramOptions) {
    this.#options = options
    this.#logFile = createWriteStream(join(options.directory, `${options.name}.log`))
  }

  get metricsUrl(): string | null {
    const life = this.#lives.at(-1)
    return life === undefined || life.end !== null ? null : life.log.metricsUrl
  }

  /** Counts the primary's lives: each life has its own totals. */
  get life(): number {
    return this.#lives.length
  }

  get isUp(): boolean {
    return this.#lives.at(-1)?.end === null
  }

  get logs(): readonly ProgramLog[] {
    return this.#lives.map(({ log }) => log)
  }

  /** For each life so far: the time from the primary's start until a worker was ready. */
  get startMs(): readonly number[] {
    return this.#lives.flatMap(({ log, startedAtMs }) =>
      log.firstReadyAtMs === null ? [] : [log.firstReadyAtMs - startedAtMs]
    )
  }

  /** The running workers, or only the ready ones. */
  #workers(mustBeReady: boolean): readonly number[] {
    const log = this.#lives.at(-1)?.log
    return (mustBeReady ? [...(log?.ready ?? [])] : (log?.live ?? [])).filter(isRunning)
  }

  /** Starts the primary; resolves when a worker is ready. */
  async start(): Promise<void> {
    const life = this.#spawn()
    this.#lives.push(life)
    const isReady = (): boolean => life.log.ready.size > 0 || life.end !== null
    if ((await eventually(isReady, START_MS)) === null || life.end !== null) {
      const why = String(life.end ?? 'no worker is ready')
      const printed = life.log.foreign.join(' ')
      throw new Error(`the ${this.#options.name} did not start (${why}): ${printed}`)
    }
  }

  /** Waits for a worker and picks one; null when none appears in time. */
  async pickWorker(draw: number, mustBeReady = false): Promise<number | null> {
    await eventually(() => this.#workers(mustBeReady).length > 0, START_MS)
    return this.workerNow(draw, mustBeReady)
  }

  /** All running workers. */
  get workers(): readonly number[] {
    return this.#workers(false)
  }

  /** A running worker, or a ready one, without waiting. */
  workerNow(draw: number, mustBeReady = false): number | null {
    const workers = this.#workers(mustBeReady)
    return workers[draw % Math.max(1, workers.length)] ?? null
  }

  killWorker(pid: number): boolean {
    this.#killed.add(pid)
    const isKilled = signal(pid, 'SIGKILL')
    if (isKilled) this.kills.worker += 1
    return isKilled
  }

  /** kill -9 of the primary; resolves when it is gone. Its workers may still run. */
  async killPrimary(): Promise<void> {
    const life = this.#lives.at(-1)
    if (life?.program.signal('SIGKILL') === true) this.kills.primary += 1
    await life?.program.exited
  }

  signalPrimary(name: NodeJS.Signals): void {
    this.#lives.at(-1)?.program.signal(name)
  }

  /** After a SIGTERM: whether it ended in time, and how. */
  async whenEnded(): Promise<ProgramEnd | null> {
    const life = this.#lives.at(-1)
    if (life === undefined) return null
    const took = await eventually(() => life.end !== null, SHUTDOWN_TIMEOUT_MS + MARGIN_MS)
    if (took === null) {
      this.#options.onWrong(
        `the ${this.#options.name} did not end within ${SHUTDOWN_TIMEOUT_MS + MARGIN_MS} ms of SIGTERM`
      )
      await life.program.end('SIGKILL')
    }
    return life.end
  }

  /**
   * Workers without a primary must drain and exit by themselves. One that does not is
   * reported as a fault and killed.
   */
  async whenOrphansGone(): Promise<void> {
    const log = this.#lives.at(-1)?.log
    const orphans = log?.live.filter(isRunning) ?? []
    if ((await untilGone(orphans, SHUTDOWN_TIMEOUT_MS + MARGIN_MS)) === null) {
      this.#options.onWrong(
        `workers of the ${this.#options.name} without a primary did not end within ` +
          `${SHUTDOWN_TIMEOUT_MS + MARGIN_MS} ms`
      )
      for (const pid of orphans) signal(pid, 'SIGKILL')
      await untilGone(orphans, MARGIN_MS)
    }
    const complaint = log?.complaint ?? null
    if (complaint !== null) this.#options.onWrong(`the ${this.#options.name} printed: ${complaint}`)
  }

  /** Ends the primary and all workers, whatever their state. */
  async close(): Promise<void> {
    for (const { log, program } of this.#lives) {
      program.signal('SIGKILL')
      for (const pid of log.live) if (isRunning(pid)) signal(pid, 'SIGKILL')
      await untilGone(log.live, MARGIN_MS)
    }
    await Promise.all(this.#lives.map(({ program }) => program.exited))
    const { name, directory, onWrong } = this.#options
    for (const { pid, what } of findRunning(programEntry(name), directory)) {
      onWrong(
        `process ${pid} of the ${name} was still running and appears in none of its logs: ${what}`
      )
      signal(pid, 'SIGKILL')
    }
    await new Promise<void>(resolve => this.#logFile.end(() => resolve()))
  }

  #spawn(): Life {
    const { name, directory, environment } = this.#options
    const program = new BuiltProgram({ name, directory, env: environment })
    const life: Life = { program, log: new ProgramLog(), startedAtMs: Date.now(), end: null }
    void program.exited.then(end => (life.end = end))
    program.onLine(line => this.#hear(life.log, line))
    return life
  }

  #hear(log: ProgramLog, line: string): void {
    this.#logFile.write(`${line}\n`)
    const deaths = log.deaths.length
    log.add(line)
    for (const { pid, how } of log.deaths.slice(deaths)) {
      if (!this.#killed.has(pid))
        this.#options.onWrong(`worker ${pid} of the ${this.#options.name} died by itself: ${how}`)
    }
  }
}
