/**
 * When a worker stops: when its primary says so, or is gone.
 *
 * A primary kills the worker that drains for too long. An orphan has nobody to do that,
 * and must not go on beside the workers of the next primary whatever it waits for: it
 * ends itself.
 */
import { onAbort } from '../lifecycle/interrupt.js'
import type { Log } from '../observe/log.js'

export interface WorkerStop {
  readonly signal: AbortSignal
  /** The primary says so. */
  stop(): void
}

/**
 * `orphaned` aborts when the primary is gone, which may have been before this worker
 * began; `end` is called when the process is still there `withinMs` later.
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
  log.fatal('the primary is gone, and draining takes too long: ending')
  process.exit(1)
}
