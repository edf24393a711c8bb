/**
 * Who polls: an idle queue is polled by one (the scout), a busy one by all.
 *
 * Shapes  pollers are numbers below `count`. A poller waits for its `turn` before a
 *         receive and reports with `received` what it brought. Whoever finds the queue
 *         empty, or failing, parks, unless nobody else is awake: then it is the scout,
 *         and the only one to ask a queue that is down. A full receive says that there is
 *         more, and wakes all; a part of one wakes one, so that a trickle is not met by a
 *         crowd. At the start one is awake.
 * Source  an empty long poll costs a request and a held connection per poller; a backlog
 *         is met by all after one round trip.
 */
import { BATCH_ENTRIES } from './limits.js'

export interface Pollers {
  /**
   * Resolves when this poller may receive: at once while it is awake, else when it is
   * woken or all is stopped.
   */
  turn(poller: number): Promise<void>
  /** A receive of this poller came back with so many messages, or failed: 0. */
  received(poller: number, messages: number): void
  /** Lets everyone go, for good. */
  stop(): void
}

export function createPollers(count: number): Pollers {
  if (!Number.isSafeInteger(count) || count < 1)
    throw new RangeError(`pollers must be an integer >= 1, got ${count}`)
  // In order of parking: the first to be parked is the first to be woken.
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
