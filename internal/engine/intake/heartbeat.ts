/**
 * Keeps messages in flight invisible to others: extends each one when half of its lease
 * is spent, counted from its receipt. For a queue without leases it does nothing.
 *
 * Units   leases in seconds, as the queue counts them; spans in milliseconds.
 * Errors  a failed extension is reported and not repeated before its next turn. At worst
 *         the message is delivered twice, and the second delivery is a duplicate. The
 *         same holds when SQS ends extensions, 12 hours after the receive.
 */
import type { Clock } from '../lifecycle/clock.js'
import { type Queue, QueueError } from '../queue/queue.js'
import type { InFlight } from './in-flight.js'

export interface HeartbeatOptions {
  readonly queue: Pick<Queue, 'leases' | 'limits'>
  readonly inFlight: InFlight
  readonly clock: Clock
  readonly onFailed: (code: string, entries: number) => void
}

/** An extension is at most an eighth of a lease late. */
const CHECKS_PER_LEASE = 8

/** Starts the heartbeat; the returned function ends it. */
export function startHeartbeat(options: HeartbeatOptions): () => void {
  const { inFlight, clock, onFailed } = options
  const { leases, limits } = options.queue
  if (leases === null) return () => undefined
  const halfLifeMs = leases.seconds * 500
  const everyMs = (leases.seconds * 1_000) / CHECKS_PER_LEASE
  let isStopped = false

  const beat = async (): Promise<void> => {
    for (;;) {
      const due = inFlight.takeDue(halfLifeMs, clock.monotonicMs(), limits.settle)
      if (due.length === 0 || isStopped) return
      try {
        for (const failure of await leases.extend(due, leases.seconds)) onFailed(failure.code, 1)
      } catch (error) {
        onFailed(error instanceof QueueError ? error.code : String(error), due.length)
      }
    }
  }
  const check = (): void =>
    void beat().finally(() => {
      if (!isStopped) cancel = clock.after(everyMs, check)
    })
  let cancel = clock.after(everyMs, check)

  return () => {
    isStopped = true
    cancel()
  }
}
