/**
 * The fake producers send a few events per tick, without end, so that a new user sees
 * something happen.
 *
 * Units   `tickMs` is the time between two starts. A tick that takes longer delays the
 *         next one; ticks do not pile up.
 * Errors  a failed send is reported and tried again. Only the signal ends the loop, after
 *         the current call.
 */

import type { Random } from '../../../engine/cli/random.js'
import { delay } from '../../../engine/lifecycle/interrupt.js'
import { DEFAULT_CLIENTS, fakeBodies } from './events.js'
import { type SendTarget, sendUntilTaken } from './send.js'

export interface FakeProducersOptions extends SendTarget {
  readonly random: Random
  readonly tickMs: number
  readonly onSent: (messages: number) => void
}

export async function runFakeProducers(options: FakeProducersOptions): Promise<void> {
  const { clock, signal, tickMs } = options
  while (!signal.aborted) {
    const startedMs = clock.monotonicMs()
    const messages = fakeBodies(options.random).map((body, index) => ({
      body,
      ...turnOf(DEFAULT_CLIENTS[index])
    }))
    await sendUntilTaken(messages, options, accepted => options.onSent(accepted.length))
    await delay(clock, Math.max(0, startedMs + tickMs - clock.monotonicMs()), signal)
  }
}

/** A body that is not an event belongs to no client. */
const turnOf = (client: string | undefined) => (client === undefined ? {} : { group: client })
