/**
 * A worker of a program, from start to end: opens what it needs, works, reports to its
 * primary each second, and drains when told to or when its primary is gone.
 *
 * Units   milliseconds.
 */
import type { Clock } from '../lifecycle/clock.js'
import { Closers } from '../lifecycle/closers.js'
import { untilAborted } from '../lifecycle/interrupt.js'
import { createLog } from '../observe/log.js'
import { tellPrimary } from './ipc.js'
import type { ChannelMessage, StopMessage, WorkerReport } from './protocol.js'
import { createRetry } from './retry-until.js'
import type { ClusterConfig, Opening } from './run-cluster.js'
import { createWorkerStop, endOrphan } from './worker-stop.js'

const REPORT_EVERY_MS = 1_000
/**
 * The part of the shutdown budget that the drain may not use: it is for giving back what
 * was cut off, and for closing connections.
 */
const CLOSING_MS = 1_500

export interface WorkerOptions<Status, Told> {
  readonly name: string
  readonly config: Pick<ClusterConfig, 'shutdownTimeoutMs' | 'log'>
  readonly clock: Clock
  /**
   * Called with each message from the primary except its stop, possibly before `open`.
   */
  readonly hear?: (message: Told) => void
  /** Begins the work; null when the signal aborted before it could. */
  readonly open: (opening: Opening) => Promise<WorkerParts<Status> | null>
}

export interface WorkerParts<Status> {
  report(): Promise<Omit<WorkerReport<Status>, 'kind'>>
  /** Logs what happened since the last call, if anything did. */
  logSummary(): void
  /** Accepts no more work, and finishes or gives back what is in flight. */
  drain(withinMs: number): Promise<void>
}

/** `signal` aborts when the primary is gone. */
export async function runWorker<Status, Told extends ChannelMessage>(
  { name, config, clock, hear, open }: WorkerOptions<Status, Told>,
  signal: AbortSignal
): Promise<void> {
  const log = createLog(`${name} ${process.pid}`, config.log, process.stdout.isTTY)
  const stop = createWorkerStop(signal, config.shutdownTimeoutMs, () => endOrphan(log))
  process.on('message', (message: Told | StopMessage) => {
    if (isStop(message)) stop.stop()
    else hear?.(message)
  })
  const closers = new Closers()
  try {
    const around = { log, signal: stop.signal }
    const parts = await open({
      ...around,
      retry: createRetry({ clock, random: Math.random, ...around }),
      closeLater: close => closers.add(close)
    })
    if (parts === null) return
    const stopReports = startReports(parts, clock)
    await untilAborted(stop.signal)
    await parts.drain(Math.max(config.shutdownTimeoutMs - CLOSING_MS, 0))
    stopReports()
    await report(parts)
  } finally {
    await closers.close()
  }
}

function startReports<Status>(parts: WorkerParts<Status>, clock: Clock): () => void {
  let cancel = clock.after(REPORT_EVERY_MS, tick)
  function tick(): void {
    parts.logSummary()
    void report(parts)
    cancel = clock.after(REPORT_EVERY_MS, tick)
  }
  return () => cancel()
}

async function report<Status>(parts: WorkerParts<Status>): Promise<void> {
  const message: WorkerReport<Status> = { kind: 'report', ...(await parts.report()) }
  await tellPrimary(message)
}

function isStop(message: ChannelMessage): message is StopMessage {
  return message.kind === 'stop'
}
