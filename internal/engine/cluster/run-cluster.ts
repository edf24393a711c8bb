/**
 * The primary of a program: opens and prepares the services, forks the workers and keeps
 * them running, and answers /metrics, /livez and /readyz. It stops in order: the workers
 * drain, then everything that was opened is closed.
 *
 * /livez is 200 until the process ends; /readyz is 200 while the probe succeeds and a
 * worker does its work.
 *
 * Units   milliseconds.
 * Errors  an ExpectedError ends the start; other failures of a step are tried again.
 */
import cluster from 'node:cluster'
import type { Clock } from '../lifecycle/clock.js'
import { Closers } from '../lifecycle/closers.js'
import { untilAborted } from '../lifecycle/interrupt.js'
import { createLog, type Log, type LogOptions } from '../observe/log.js'
import type { Metrics } from '../observe/metrics.js'
import { startHealthServer } from './health.js'
import type { ChannelMessage, WorkerReport } from './protocol.js'
import { type ProblemOf, Readiness } from './readiness.js'
import { createRetry, type Retry } from './retry-until.js'
import { Supervisor, type WorkerProcess } from './supervisor.js'
import { WORKER_EXEC_ARGS, workerMalloc } from './worker-memory.js'
import { toWorkerProcess } from './worker-process.js'

export interface ClusterConfig {
  readonly workers: number
  /** How long the workers may take to drain. */
  readonly shutdownTimeoutMs: number
  readonly log: LogOptions
  readonly metrics: { readonly host: string; readonly port: number }
}

export interface ClusterOptions<Status, Told, Heard> {
  readonly name: string
  readonly config: ClusterConfig
  readonly clock: Clock
  /** The setting that chooses the port of /metrics. */
  readonly portSetting: string
  readonly metrics: Metrics
  readonly problemOf: ProblemOf<Status>
  /** Logged when the stop begins. */
  readonly stopping: string
  readonly open: (opening: PrimaryOpening<Told>) => Promise<PrimaryParts<Told, Heard>>
}

/** What a program may use while it opens its services, and for as long as it runs. */
export interface Opening {
  readonly log: Log
  /** Aborts when the program must stop. */
  readonly signal: AbortSignal
  /** Tries until it works; null when `signal` aborts first. */
  readonly retry: Retry
  /** Registers a call for the end; the last one registered runs first. */
  readonly closeLater: (close: () => unknown) => void
}

export interface PrimaryOpening<Told> extends Opening {
  /** Sends a message to all running workers. */
  readonly tell: (message: Told) => void
}

/** A step before the first worker starts; it is repeated until it works. */
export interface PrepareStep {
  /** For /readyz, such as `opening the queue`. */
  readonly doing: string
  /** The same for the log, such as `open the queue`. */
  readonly todo: string
  readonly run: () => Promise<void>
}

export interface PrimaryParts<Told, Heard> {
  readonly prepare: readonly PrepareStep[]
  /** Rejects while the database does not take the workers' writes. */
  readonly probe: () => Promise<void>
  /** Added to the workers' environment, which is otherwise the primary's. */
  readonly workerEnv?: Readonly<Record<string, string>>
  /** Starts the primary's own work, which runs until the signal aborts. */
  readonly begin?: () => void
  /** Sent to each worker at its start. */
  readonly greeting?: () => readonly Told[]
  /** Called with each message from a worker, except its reports. */
  readonly hear?: (workerId: number, message: Heard) => void
  /** A worker has exited, for whatever reason, and all its messages were heard. */
  readonly onExit?: (worker: Pick<WorkerProcess<Told, Heard>, 'id' | 'pid'>) => void
  /** Whether a transaction that a dead worker announced has committed. */
  readonly wasCommitted?: (tx: string) => Promise<boolean>
}

/** Resolves when `signal` has aborted and all workers have ended. */
export async function runCluster<Status, Told extends ChannelMessage, Heard extends ChannelMessage>(
  options: ClusterOptions<Status, Told, Heard>,
  signal: AbortSignal
): Promise<void> {
  const { name, config, clock, portSetting, metrics, problemOf } = options
  const log = createLog(name, config.log, process.stdout.isTTY)
  const readiness = new Readiness(clock, problemOf)
  const closers = new Closers()
  const place = { ...config.metrics, portSetting }
  const server = await startHealthServer({ ...place, metrics, readiness, log })
  closers.add(() => server.close())
  try {
    await new Primary(options, { log, signal, readiness, closers }).run()
  } finally {
    await closers.close()
    log.info('stopped')
  }
}

interface Surroundings<Status> {
  readonly log: Log
  readonly signal: AbortSignal
  readonly readiness: Readiness<Status>
  readonly closers: Closers
}

class Primary<Status, Told extends ChannelMessage, Heard extends ChannelMessage> {
  readonly #options: ClusterOptions<Status, Told, Heard>
  readonly #around: Surroundings<Status>
  readonly #retry: Retry
  #supervisor: Supervisor<Told, Heard | WorkerReport<Status>> | null = null

  constructor(options: ClusterOptions<Status, Told, Heard>, around: Surroundings<Status>) {
    this.#options = options
    this.#around = around
    this.#retry = createRetry({ clock: options.clock, random: Math.random, ...around })
  }

  async run(): Promise<void> {
    const { log, signal, readiness, closers } = this.#around
    const { stopping, config } = this.#options
    const parts = await this.#options.open({
      log,
      signal,
      retry: this.#retry,
      closeLater: close => closers.add(close),
      tell: message => this.#supervisor?.tell(message)
    })
    for (const { doing, todo, run } of parts.prepare) {
      readiness.reason = doing
      await this.#retry(todo, run)
    }
    if (signal.aborted) return
    readiness.watch(parts.probe)
    const supervisor = this.#supervise(parts)
    this.#supervisor = supervisor
    parts.begin?.()
    await untilAborted(signal)
    readiness.reason = 'draining'
    log.info({ withinMs: config.shutdownTimeoutMs }, stopping)
    await supervisor.stop(config.shutdownTimeoutMs)
  }

  #supervise(parts: PrimaryParts<Told, Heard>): Supervisor<Told, Heard | WorkerReport<Status>> {
    const { log } = this.#around
    const { config, clock } = this.#options
    cluster.setupPrimary({ execArgv: [...process.execArgv, ...WORKER_EXEC_ARGS] })
    const env = { ...workerMalloc(process.env), ...parts.workerEnv }
    return new Supervisor({
      workers: config.workers,
      clock,
      random: Math.random,
      fork: () => toWorkerProcess(cluster.fork(env)),
      onStarted: worker => {
        log.info({ worker: worker.pid }, 'worker started')
        for (const message of parts.greeting?.() ?? []) worker.send(message)
      },
      onHeard: (workerId, message) => {
        if (isReport(message)) this.#reported(workerId, message)
        else parts.hear?.(workerId, message)
      },
      onSilent: (worker, silentMs) =>
        log.error(
          { worker: worker.pid, silentMs: Math.round(silentMs) },
          'worker stopped reporting; killing it'
        ),
      onExited: (worker, how, restartInMs) => this.#exited(parts, worker, how, restartInMs)
    })
  }

  #reported(workerId: number, { counts, metrics, status }: WorkerReport<Status>): void {
    const { totals, reports } = this.#options.metrics
    totals.reported(workerId, counts)
    reports.reported(workerId, metrics)
    this.#around.readiness.reported(workerId, status)
  }

  async #exited(
    { onExit, wasCommitted }: PrimaryParts<Told, Heard>,
    worker: WorkerProcess<Told, Heard | WorkerReport<Status>>,
    how: string,
    restartInMs: number | null
  ): Promise<void> {
    const { log, readiness } = this.#around
    const { totals, reports } = this.#options.metrics
    readiness.forget(worker.id)
    onExit?.(worker)
    if (restartInMs !== null) {
      reports.restarted()
      log.error(
        { worker: worker.pid, how, restartInMs: Math.round(restartInMs) },
        'worker died; starting another'
      )
    }
    await reports.retire(worker.id)
    const ask = (tx: string) => wasCommitted?.(tx) ?? Promise.resolve(false)
    await totals.retire(
      worker.id,
      async tx => (await this.#retry('learn a dead worker’s last outcome', () => ask(tx))) ?? false
    )
  }
}

function isReport<Status>(message: ChannelMessage): message is WorkerReport<Status> {
  return message.kind === 'report'
}
