/**
 * Decides when a worker stops: when its primary says so, or is gone.
 *
 * A primary kills a worker that drains for too long. An orphan has nobody to do that, and
 * must not live on next to the workers of the next primary: it ends itself.
 */
import { onAbort } from '../lifecycle/interrupt.js'
import type { Log } from '../observe/log.js'

export interface WorkerStop {
  readonly signal: AbortSignal
  /** The primary asks for the stop. */
  stop(): void
}

/**
 * `orphaned` aborts when the primary is gone, possibly before this worker began. `end` is
 * called if the process is still there `withinMs` later.
 */
export function createWorkerStop(
  orphaned: AbortSignal,
  withinMs: number,
  end: () => void
): WorkerStop {
  const controller = new AbortController()
  onAbort(orphaned, () => {
    controller.abort()
    setTimeout(end, withinMs).unref()
  })
  return { signal: controller.signal, stop: () => controller.abort() }
}

export function endOrphan(log: Log): never {
  log.fatal('the primary is gone and draining takes too long: exiting')
  process.exit(1)
}
