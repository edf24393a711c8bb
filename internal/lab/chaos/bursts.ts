/**
 * The events of a chaos run: one seeded stream, with duplicates and invalid events, sent
 * in the plan's bursts. For one stretch of events all clients send alike; in the next,
 * one of them floods the others. So faults hit both paths through the worker. Each
 * accepted event is in the ledger before the next burst can refer to it.
 *
 * Errors  `finished` rejects when the ledger cannot be written.
 */

import { createRandom } from '../../engine/cli/random.js'
import { systemClock } from '../../engine/lifecycle/clock.js'
import { onAbort } from '../../engine/lifecycle/interrupt.js'
import type { QueueWriter } from '../../engine/queue/queue.js'
import { DEFAULT_BODY_BYTES, DEFAULT_CLIENTS } from '../../systems/events/producer/events.js'
import type { LedgerWriter } from '../../systems/events/producer/ledger.js'
import { type LoadTotals, runLoad } from '../../systems/events/producer/load.js'

export interface BurstsOptions {
  readonly queue: QueueWriter
  readonly ledger: LedgerWriter
  readonly seed: string
  readonly events: number
  readonly signal: AbortSignal
}

export interface Bursts {
  /** Sends this many more events, as fast as the queue takes them. */
  release(events: number): void
  readonly sent: number
  /** Resolves when all events are accepted and in the ledger. */
  readonly finished: Promise<LoadTotals>
}

export const DUPLICATES = 0.1
export const INVALID = 0.05
const CONCURRENCY = 4
/** A few batches' worth. */
const STRETCH = 300
const [LOUD = '', ...OTHERS] = DEFAULT_CLIENTS
const inTurn = (clients: readonly string[], n: number): string => clients[n % clients.length] ?? ''
const CLIENTS: readonly string[] = [
  ...Array.from({ length: STRETCH }, (_, n) => inTurn(DEFAULT_CLIENTS, n)),
  ...Array.from({ length: STRETCH }, (_, n) => (n % 10 === 9 ? inTurn(OTHERS, (n / 10) | 0) : LOUD))
]

export function startBursts({ queue, ledger, seed, events, signal }: BurstsOptions): Bursts {
  const valve = new Valve()
  onAbort(signal, () => valve.release(events))
  let sent = 0
  const finished = runLoad({
    count: events,
    duplicates: DUPLICATES,
    invalid: INVALID,
    clients: CLIENTS,
    bodyBytes: DEFAULT_BODY_BYTES,
    random: createRandom(`events ${seed}`),
    queue: {
      ...queue,
      async send(messages) {
        await valve.pass(messages.length)
        return queue.send(messages)
      }
    },
    clock: systemClock,
    signal,
    jitter: Math.random,
    onProblem: () => undefined,
    ratePerSecond: null,
    concurrency: CONCURRENCY,
    ledger,
    onProgress: totals => {
      sent = totals.sent
    }
  })
  // Callers that await it get the error; until then it must not end the program.
  finished.catch(() => undefined)
  return {
    release: count => valve.release(count),
    get sent() {
      return sent
    },
    finished
  }
}

/** Lets released events through, in the order in which they were requested. */
export class Valve {
  #open = 0
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = []

  release(count: number): void {
    this.#open += count
    for (
      let first = this.#waiting[0];
      first !== undefined && first.count <= this.#open;
      first = this.#waiting[0]
    ) {
      this.#waiting.shift()
      this.#open -= first.count
      first.resolve()
    }
  }

  pass(count: number): Promise<void> {
    if (this.#waiting.length === 0 && count <= this.#open) {
      this.#open -= count
      return Promise.resolve()
    }
    return new Promise(resolve => this.#waiting.push({ count, resolve }))
  }
}
