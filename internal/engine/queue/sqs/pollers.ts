/**
 * Decides who polls: one poller (the scout) while the queue is idle, all of them while it
 * is busy.
 *
 * Shapes  pollers are numbers below `count`. A poller waits for its `turn` before a
 *         receive and reports with `received` what it brought. A poller that finds the
 *         queue empty, or failing, parks, unless it is the last one awake: then it is the
 *         scout, and the only one to ask a queue that is down. A full receive says that
 *         there is more, and wakes all; a partial one wakes one, so that a trickle does
 *         not wake a crowd. At the start one is awake.
 * Source  an empty long poll costs a request and an open connection per poller; a backlog
 *         has all of them after one round trip.
 */
import { BATCH_ENTRIES } from './limits.js'

export interface Pollers {
  /**
   * Resolves when this poller may receive: at once while it is awake, otherwise when it
   * is woken or polling stops.
   */
  turn(poller: number): Promise<void>
  /** The number of messages that this poller received; 0 after a failure. */
  received(poller: number, messages: number): void
  /** Lets all pollers go, for good. */
  stop(): void
}

export function createPollers(count: number): Pollers {
  if (!Number.isSafeInteger(count) || count < 1)
    throw new RangeError(`pollers must be an integer >= 1, got ${count}`)
  // In order of parking: the first one parked is the first one woken.
  const parked = new Set<number>(Array.from({ length: count - 1 }, (_, index) => index + 1))
  const waiting = new Map<number, () => void>()
  let isStopped = false

  const wake = (most: number): void => {
    for (const poller of [...parked].slice(0, most)) {
      parked.delete(poller)
      waiting.get(poller)?.()
      waiting.delete(poller)
    }
  }

  return {
    turn(poller) {
      if (!parked.has(poller)) return Promise.resolve()
      return new Promise(resolve => waiting.set(poller, resolve))
    },
    received(poller, messages) {
      if (messages > 0) wake(messages >= BATCH_ENTRIES ? count : 1)
      else if (!isStopped && parked.size < count - 1) parked.add(poller)
    },
    stop() {
      isStopped = true
      wake(count)
    }
  }
}
