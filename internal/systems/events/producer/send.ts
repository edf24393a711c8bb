/**
 * Sends messages until the queue has accepted each of them.
 *
 * A call whose answer is lost may have been accepted. It is sent again, so the queue may
 * then hold its messages twice. That is why producers should send event ids.
 *
 * Errors  a message that the queue may take later is tried again with backoff until the
 *         signal aborts; one that it never will is given up and reported.
 */
import type { Clock } from '../../../engine/lifecycle/clock.js'
import { delay } from '../../../engine/lifecycle/interrupt.js'
import type { OutgoingMessage, QueueWriter } from '../../../engine/queue/queue.js'
import { type SentItem, sendAll } from '../../../engine/queue/send-all.js'
import { backoffMs } from '../../../engine/retry/backoff.js'

/** Messages that could not be sent, for now or for good. */
export interface SendProblem {
  readonly code: string
  readonly entries: number
  /** The wait before the next attempt; null when these entries are given up. */
  readonly retryInMs: number | null
}

export interface SendTarget {
  readonly queue: QueueWriter
  readonly clock: Clock
  readonly signal: AbortSignal
  /** From 0 to below 1, for the jitter. */
  readonly jitter: () => number
  readonly onProblem: (problem: SendProblem) => void
}

const RETRY = { baseMs: 100, maxMs: 10_000 }

/**
 * Calls `onAccepted` after each attempt with the messages that the queue accepted, before
 * the others are tried again. Resolves with the number that the queue refused for good.
 */
export async function sendUntilTaken<M extends OutgoingMessage>(
  messages: readonly M[],
  target: SendTarget,
  onAccepted: (accepted: readonly SentItem<M>[]) => void | Promise<void>
): Promise<number> {
  let open = messages
  let refusals = 0
  for (let attempt = 1; open.length > 0; attempt++) {
    const { sent, refused, failed } = await sendAll(open, message => message, target.queue)
    if (sent.length > 0) await onAccepted(sent)
    const refusal = refused.at(-1)
    if (refusal !== undefined) {
      refusals += refused.length
      target.onProblem({ code: refusal.code, entries: refused.length, retryInMs: null })
    }
    const failure = failed.at(-1)
    if (failure === undefined || target.signal.aborted) break
    open = failed.map(({ item }) => item)
    const retryInMs = backoffMs(attempt, RETRY, target.jitter)
    target.onProblem({ code: failure.code, entries: failed.length, retryInMs })
    if (!(await delay(target.clock, retryInMs, target.signal))) break
  }
  return refusals
}
