/**
 * Reads every second how long the processor's event loops stalled.
 *
 * Units   milliseconds; the processor reports the longest stall of each second.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { MeasuredSubject } from './measured-subject.js'

const LOOK_EVERY_MS = 1_000
/**
 * A worker reports once a second; after this long it has reported the last second too.
 */
const LAST_REPORT_MS = 1_200

export interface LagWatch {
  start(): void
  /** The longest stall seen, or null. */
  stop(): Promise<number | null>
}

export function watchLag(
  subject: Pick<MeasuredSubject, 'readings'>,
  untilLastReport = () => delay(LAST_REPORT_MS)
): LagWatch {
  const seen: number[] = []
  const look = async (): Promise<void> => {
    const { lagSeconds } = await subject.readings()
    if (lagSeconds !== null) seen.push(lagSeconds * 1_000)
  }
  let timer: NodeJS.Timeout | undefined
  return {
    start() {
      // A failed reading is skipped: the caller that waits for the subject learns why.
      timer = setInterval(() => void look().catch(() => undefined), LOOK_EVERY_MS)
    },
    async stop() {
      clearInterval(timer)
      await look()
      await untilLastReport()
      await look()
      return seen.length === 0 ? null : Math.max(...seen)
    }
  }
}
