/**
 * Keeps something in step with a table: looks when there is news, every `lookEveryMs` in
 * case news was lost, and soon again after a failed look.
 *
 * Errors  a failed look changes nothing and is reported; what was in force stays.
 */
import type { Clock } from '../lifecycle/clock.js'
import { onAbort } from '../lifecycle/interrupt.js'
import { backoffMs } from '../retry/backoff.js'

export interface WatchTableOptions {
  readonly look: () => Promise<void>
  readonly lookEveryMs: number
  readonly onFailed: (error: unknown) => void
  readonly clock: Clock
  readonly signal: AbortSignal
}

export interface TableWatch {
  /** There is news. News before `begin` waits until then. */
  readonly lookSoon: () => void
  /** Watches from now on, until the signal aborts. */
  begin(): void
}

const RETRY = { baseMs: 100, maxMs: 5_000 }

export function watchTable({
  look,
  lookEveryMs,
  onFailed,
  clock,
  signal
}: WatchTableOptions): TableWatch {
  let cancel = (): void => undefined
  let isLooking = true
  let isNewsWaiting = false
  let failures = 0
  onAbort(signal, () => cancel())

  const wait = (): void => {
    isLooking = false
    if (signal.aborted) return
    if (failures > 0)
      cancel = clock.after(backoffMs(failures, RETRY, Math.random), () => void lookNow())
    else if (isNewsWaiting) void lookNow()
    else cancel = clock.after(lookEveryMs, () => void lookNow())
  }

  const lookNow = async (): Promise<void> => {
    cancel()
    isLooking = true
    isNewsWaiting = false
    try {
      await look()
      failures = 0
    } catch (error) {
      failures += 1
      onFailed(error)
    }
    wait()
  }

  return {
    begin: wait,
    lookSoon() {
      isNewsWaiting = true
      if (!isLooking && !signal.aborted && failures === 0) void lookNow()
    }
  }
}
