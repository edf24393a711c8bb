/**
 * The built processor, started as a user would, and started again whenever its primary has ended.
 *
 * Errors  rejects when it does not come up; what it does wrong while it runs goes to `onWrong`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, type WriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { EMBEDDED_AWS } from '../config/config.js'
import type { Environment } from '../config/environment.js'
import { eventually } from './eventually.js'
import { isRunning, signal, untilGone } from './processes.js'
import { ProcessorLog } from './processor-log.js'
import { PROCESSOR_SETTINGS, SHUTDOWN_TIMEOUT_MS } from './settings.js'

export interface ProcessorOptions {
  readonly sqsEndpoint: string
  readonly dbConnection: string
  readonly queueName: string
  readonly workers: number
  /** Where it runs: a directory without an .env of somebody's own. */
  readonly directory: string
  readonly logFile: string
  /** Only the few variables that any program needs are taken from it. */
  readonly env: Environment
  readonly onWrong: (text: string) => void
}

const INHERITED = ['PATH', 'HOME', 'TZ', 'NODE_OPTIONS', 'SQS_TRANSPORT']
const START_MS = 60_000
/** What a program may need beyond its own deadline on a busy machine. */
const MARGIN_MS = 5_000

/** One life of the primary and its workers. */
interface Life {
  readonly child: ChildProcess
  readonly log: ProcessorLog
  readonly startedAtMs: number
  /** Exit code or signal, once it has ended. */
  end: number | string | null
  readonly ended: Promise<void>
}

export class Processor {
  readonly #options: ProcessorOptions
  readonly #logFile: WriteStream
  readonly #killed = new Set<number>()
  readonly #lives: Life[] = []

  constructor(options: ProcessorOptions) {
    this.#options = options
    this.#logFile = createWriteStream(options.logFile)
  }

  get metricsUrl(): string | null {
    const life = this.#lives.at(-1)
    return life === undefined || life.end !== null ? null : life.log.metricsUrl
  }

  /** Counts the primary's lives: totals of different ones are different totals. */
  get life(): number {
    return this.#lives.length
  }

  get isUp(): boolean {
    return this.#lives.at(-1)?.end === null
  }

  get logs(): readonly ProcessorLog[] {
    return this.#lives.map(({ log }) => log)
  }

  /** From the start of the primary until a worker receives, of each life that came so far. */
  get startMs(): readonly number[] {
    return this.#lives.flatMap(({ log, startedAtMs }) => (log.firstReceivingAtMs === null ? [] : [log.firstReceivingAtMs - startedAtMs]))
  }

  /** Those that run; of them those that receive, when only such ones will do. */
  #workers(mustReceive: boolean): readonly number[] {
    const log = this.#lives.at(-1)?.log
    return (mustReceive ? [...(log?.receiving ?? [])] : (log?.live ?? [])).filter(isRunning)
  }

  /** Starts the primary; resolves when a worker is about to receive. */
  async start(): Promise<void> {
    const life = this.#spawn()
    this.#lives.push(life)
    const isReady = (): boolean => life.log.receiving.size > 0 || life.end !== null
    if ((await eventually(isReady, START_MS)) === null || life.end !== null) {
      throw new Error(`the processor did not come up (${String(life.end ?? 'no worker receives')}): ${life.log.foreign.join(' ')}`)
    }
  }

  /** Waits until there is a worker, and picks one; null when there is none for too long. */
  async pickWorker(draw: number, mustReceive = false): Promise<number | null> {
    await eventually(() => this.#workers(mustReceive).length > 0, START_MS)
    return this.workerNow(draw, mustReceive)
  }

  /** The same without waiting. */
  workerNow(draw: number, mustReceive = false): number | null {
    const workers = this.#workers(mustReceive)
    return workers[draw % Math.max(1, workers.length)] ?? null
  }

  killWorker(pid: number): boolean {
    this.#killed.add(pid)
    return signal(pid, 'SIGKILL')
  }

  /** kill -9 of the primary; resolves when it is gone, which its workers may not be yet. */
  async killPrimary(): Promise<void> {
    const life = this.#lives.at(-1)
    life?.child.kill('SIGKILL')
    await life?.ended
  }

  signalPrimary(name: NodeJS.Signals): void {
    this.#lives.at(-1)?.child.kill(name)
  }

  /** After a SIGTERM: whether it ended in time, and how. */
  async whenEnded(): Promise<number | string | null> {
    const life = this.#lives.at(-1)
    if (life === undefined) return null
    const took = await eventually(() => life.end !== null, SHUTDOWN_TIMEOUT_MS + MARGIN_MS)
    if (took === null) {
      this.#options.onWrong(`the processor did not end within ${SHUTDOWN_TIMEOUT_MS + MARGIN_MS} ms of SIGTERM`)
      await this.killPrimary()
    }
    return life.end
  }

  /** Workers whose primary is gone drain and end by themselves; one that does not is a fault, and is killed. */
  async whenOrphansGone(): Promise<void> {
    const log = this.#lives.at(-1)?.log
    const orphans = log?.live.filter(isRunning) ?? []
    if ((await untilGone(orphans, SHUTDOWN_TIMEOUT_MS + MARGIN_MS)) === null) {
      this.#options.onWrong(`workers without a primary did not end within ${SHUTDOWN_TIMEOUT_MS + MARGIN_MS} ms`)
      for (const pid of orphans) signal(pid, 'SIGKILL')
      await untilGone(orphans, MARGIN_MS)
    }
    const complaint = log?.complaint ?? null
    if (complaint !== null) this.#options.onWrong(`the processor printed: ${complaint}`)
  }

  /** Ends all of it, whatever state it is in. */
  async close(): Promise<void> {
    for (const { log, child } of this.#lives) {
      child.kill('SIGKILL')
      for (const pid of log.live) if (isRunning(pid)) signal(pid, 'SIGKILL')
      await untilGone(log.live, MARGIN_MS)
    }
    await Promise.all(this.#lives.map(({ ended }) => ended))
    await new Promise<void>(resolve => this.#logFile.end(() => resolve()))
  }

  #spawn(): Life {
    const entry = fileURLToPath(new URL('../../cmd/processor/index.js', import.meta.url))
    const child = spawn(process.execPath, [entry], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
      cwd: this.#options.directory,
      env: this.#environment()
    })
    const log = new ProcessorLog()
    const life: Life = {
      child,
      log,
      startedAtMs: Date.now(),
      end: null,
      ended: new Promise(resolve => {
        child.once('exit', (code, name) => {
          life.end = code ?? name ?? 'unknown'
          resolve()
        })
      })
    }
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', line => this.#hear(log, line))
    }
    return life
  }

  #hear(log: ProcessorLog, line: string): void {
    this.#logFile.write(`${line}\n`)
    const deaths = log.deaths.length
    log.add(line)
    for (const { pid, how } of log.deaths.slice(deaths)) {
      if (!this.#killed.has(pid)) this.#options.onWrong(`worker ${pid} died by itself: ${how}`)
    }
  }

  #environment(): Record<string, string> {
    const { env, sqsEndpoint, dbConnection, queueName, workers } = this.#options
    const inherited = INHERITED.flatMap(name => (env[name] === undefined ? [] : [[name, env[name]] as const]))
    const settings = Object.entries(PROCESSOR_SETTINGS).map(([name, value]) => [name, String(value)] as const)
    return {
      ...Object.fromEntries<string>([...inherited, ...settings]),
      DB_CONNECTION: dbConnection,
      QUEUE_NAME: queueName,
      AWS_ENDPOINT: sqsEndpoint,
      AWS_REGION: EMBEDDED_AWS.region,
      AWS_ACCESS_KEY_ID: EMBEDDED_AWS.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: EMBEDDED_AWS.credentials.secretAccessKey,
      WORKERS: String(workers)
    }
  }
}
