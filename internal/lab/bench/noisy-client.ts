/**
 * The noisy client of the fairness bench: a backlog that appears all at once, and a
 * steady rate on top.
 *
 * The backlog is sent with a delay, so that all of it becomes visible at one moment;
 * otherwise the processor would keep up with the sending.
 *
 * Units   seconds; events per second.
 */
import { setTimeout as delay } from 'node:timers/promises'

export interface NoisyClientOptions {
  /**
   * Sends `events` events that nobody can receive for `delayS`; resolves when the queue
   * has them.
   */
  readonly send: (events: number, delayS: number) => Promise<void>
  readonly backlog: number
  readonly perSecond: number
}

export interface NoisyClient {
  /** Events so far. */
  readonly sent: number
  /** Resolves when the backlog can be received. */
  pileUp(): Promise<void>
  /** Sends until `stop`; rejects when the queue does not take an event. */
  talk(): Promise<unknown>
  stop(): void
}

const SENDERS = 4
const EVENTS_PER_SEND = 10
/** Longer than sending the backlog takes. */
const BACKLOG_DELAY_S = 6
const WAIT_MS = 5

export function createNoisyClient({ send, backlog, perSecond }: NoisyClientOptions): NoisyClient {
  let sent = 0
  let isOver = false
  const sendUnless = async (isEnough: () => boolean, delayS: number): Promise<void> => {
    while (!isOver && !isEnough()) {
      sent += EVENTS_PER_SEND
      await send(EVENTS_PER_SEND, delayS)
    }
  }
  const together = (work: () => Promise<void>): Promise<unknown> =>
    Promise.all(Array.from({ length: SENDERS }, work))

  return {
    get sent() {
      return sent
    },
    async pileUp() {
      await together(() => sendUnless(() => sent >= backlog, BACKLOG_DELAY_S))
      await delay(BACKLOG_DELAY_S * 1_000)
    },
    talk() {
      const startedMs = performance.now()
      const before = sent
      const isAhead = (): boolean =>
        sent - before >= (perSecond * (performance.now() - startedMs)) / 1_000
      return together(async () => {
        while (!isOver) {
          await sendUnless(isAhead, 0)
          await delay(WAIT_MS)
        }
      })
    },
    stop() {
      isOver = true
    }
  }
}
