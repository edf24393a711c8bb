/**
 * Runs one program from its first line to its exit code.
 *
 * SIGINT, SIGTERM and SIGQUIT ask it to stop; a second one ends it at once. A program
 * started with an IPC channel also stops when that channel closes, so that nothing
 * outlives the process that started it. A cluster worker ignores signals and obeys its
 * primary: a terminal sends Ctrl-C to the whole group, and the primary decides the order
 * of the shutdown.
 *
 * Errors  an expected failure (wrong configuration, a taken port) is one message on
 *         stderr and exit code 1; any other shows its stack.
 */
import cluster from 'node:cluster'
import { readEnvFile } from './env-file.js'
import { runOnCurrentNode } from './node-version.js'
import { ExpectedError, type Service } from './service.js'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const

/**
 * npm forwards a Ctrl-C that the terminal also sends to us: two signals this close
 * together are one.
 */
const ONE_SIGNAL_MS = 500

/**
 * A finished program must exit. A connection left open by a library would keep it alive
 * until the peer closes.
 */
const LINGER_MS = 5_000

export async function main(create: () => Promise<Service>): Promise<void> {
  if (runOnCurrentNode()) return
  const stop = new AbortController()
  const isWorker = cluster.isWorker
  let stoppedAtMs = 0
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (isWorker) return
      const nowMs = performance.now()
      if (!stop.signal.aborted) stoppedAtMs = nowMs
      else if (nowMs - stoppedAtMs > ONE_SIGNAL_MS) process.exit(1)
      stop.abort()
    })
  }
  if (isWorker && cluster.worker !== undefined) {
    // Node ends a worker silently when its primary is gone; ours drains first.
    cluster.worker.exitedAfterDisconnect = true
  }
  process.on('disconnect', () => stop.abort())
  // Node would print an uncaught error with all its properties: PostgreSQL's errors quote
  // the row, the driver's hold the batch.
  process.on('uncaughtException', error => {
    process.stderr.write(`${explain(error)}\n`)
    process.exit(1)
  })
  try {
    readEnvFile()
    const service = await create()
    await service.run(stop.signal)
  } catch (error) {
    process.exitCode = 1
    process.stderr.write(`${explain(error)}\n`)
  } finally {
    if (process.connected) process.disconnect()
    setTimeout(endAnyway, LINGER_MS).unref()
  }
}

/** A program that has closed everything ends before this. */
function endAnyway(): void {
  process.stderr.write(
    `exiting although something is still open: ${process.getActiveResourcesInfo().join(', ')}\n`
  )
  process.exit()
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error instanceof ExpectedError ? error.message : (error.stack ?? error.message)
}
