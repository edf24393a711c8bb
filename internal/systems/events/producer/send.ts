/**
 * Sends messages until the queue has accepted each of them.
 *
 * Errors  a call that failed as a whole and an entry that may succeed later are tried
 *         again with backoff, for as long as nobody aborts; an entry that can never
 *         succeed is given up and told. Anything but a QueueError is a bug and rejects.
 * Source  a call whose answer was lost may have been accepted: it is sent again, so the
 *         queue may hold such a message twice. That is what "at least once" means to a
 *         producer, and why an event id is worth sending.
 */
import type { Clock } from '../../../engine/lifecycle/clock.js'
import { delay } from '../../../engine/lifecycle/interrupt.js'
import { type OutgoingMessage, QueueError, type QueueWriter } from '../../../engine/queue/queue.js'
import { backoffMs } from '../../../engine/retry/backoff.js'

/** Something that could not be sent, for now or for good. */
export interface SendProblem {
  readonly code: string
  readonly entries: number
  /** The wait before the next attempt; null when these entries are given up. */
  readonly retryInMs: number | null
}

export interface Sender {
  readonly queue: QueueWriter
  readonly clock: Clock
  readonly signal: AbortSignal
  /** From 0 to below 1, for the jitter. */
  readonly jitter: () => number
  readonly onProblem: (problem: SendProblem) => void
}

/** A message that the queue has taken. */
export interface Accepted<M> {
  readonly message: M
  /** The MessageId. */
  readonly id: string
}

const RETRY = { baseMs: 100, maxMs: 10_000 }

/**
 * Sends up to MAX_BATCH_ENTRIES messages. `onAccepted` is called after each call with
 * what it brought, before anything is tried again. Resolves with the number of entries
 * that the queue refused for good.
 */
export async function sendAll<M extends OutgoingMessage>(
  messages: readonly M[],
  sender: Sender,
  onAccepted: (accepted: readonly Accepted<M>[]) => void | Promise<void>
): Promise<number> {
  let open = messages
  let refused = 0
  for (let attempt = 1; open.length > 0; attempt++) {
    const result = await attemptOnce(open, sender.queue)
    if (result.accepted.length > 0) await onAccepted(result.accepted)
    if (result.refused > 0) {
      refused += result.refused
      sender.onProblem({ code: result.refusedCode, entries: result.refused, retryInMs: null })
    }
    open = result.again
    if (open.length === 0 || sender.signal.aborted) break
    const retryInMs = backoffMs(attempt, RETRY, sender.jitter)
    sender.onProblem({ code: result.againCode, entries: open.length, retryInMs })
    if (!(await delay(sender.clock, retryInMs, sender.signal))) break
  }
  return refused
}

interface Attempt<M> {
  readonly accepted: Accepted<M>[]
  readonly again: M[]
  refused: number
  againCode: string
  refusedCode: string
}

async function attemptOnce<M extends OutgoingMessage>(
  messages: readonly M[],
  queue: QueueWriter
): Promise<Attempt<M>> {
  const result: Attempt<M> = { accepted: [], again: [], refused: 0, againCode: '', refusedCode: '' }
  try {
    const outcomes = await queue.send(messages)
    for (const [index, message] of messages.entries()) {
      const outcome = outcomes[index] ?? { code: 'NoOutcome', retryable: true }
      if ('id' in outcome) result.accepted.push({ message, id: outcome.id })
      else if (outcome.retryable) {
        result.again.push(message)
        result.againCode = outcome.code
      } else {
        result.refused += 1
        result.refusedCode = outcome.code
      }
    }
    return result
  } catch (error) {
    if (!(error instanceof QueueError)) throw error
    return { ...result, again: [...messages], againCode: error.code }
  }
}
