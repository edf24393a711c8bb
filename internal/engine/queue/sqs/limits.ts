/**
 * What the queue accepts, checked before a call is made, so that every adapter refuses
 * the same things in the same way.
 *
 * Units   bytes are UTF-8 bytes; seconds are whole.
 * Errors  RangeError where the caller broke the port's contract; a SendOutcome where a
 *         message cannot be sent.
 * Source  Amazon SQS quotas: 10 entries per batch call, 1 MiB per message and per batch
 *         call, visibility of at most 12 hours; bodies hold the characters of XML 1.0.
 */

import { MAX_BATCH_ENTRIES, type OutgoingMessage, type SendOutcome } from '../queue.js'
import { ORIGIN_ATTRIBUTE } from './origin.js'

export const MAX_MESSAGE_BYTES = 1_048_576
const MAX_VISIBILITY_S = 43_200

const FORBIDDEN_CHARACTER = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\ud800-\udfff]/u

export function assertBatchEntries(entries: readonly unknown[]): void {
  if (entries.length > MAX_BATCH_ENTRIES) {
    throw new RangeError(
      `a batch call holds at most ${MAX_BATCH_ENTRIES} entries, got ${entries.length}`
    )
  }
}

/**
 * Whole seconds that the queue takes: rounded up, so that a message never comes back
 * early, and at most 12 hours.
 */
export function clampVisibilityS(seconds: number): number {
  if (!(seconds >= 0))
    throw new RangeError(`visibility must be a number of seconds >= 0, got ${seconds}`)
  return Math.min(MAX_VISIBILITY_S, Math.ceil(seconds))
}

/** What counts against the limit: the body, and name, type and value of the attribute. */
export function messageBytes({ body, origin }: OutgoingMessage): number {
  return (
    Buffer.byteLength(body) +
    (origin === undefined ? 0 : Buffer.byteLength(`${ORIGIN_ATTRIBUTE}String${origin}`))
  )
}

/**
 * Why `message` can never be sent, or null. Asked first, because the queue answers for
 * one such message by refusing its whole batch.
 */
export function refusalOf(message: OutgoingMessage): SendOutcome | null {
  if (message.body === '') return { code: 'MissingParameter', retryable: false }
  if (messageBytes(message) > MAX_MESSAGE_BYTES) return { code: 'MessageTooLong', retryable: false }
  if (FORBIDDEN_CHARACTER.test(message.body))
    return { code: 'InvalidMessageContents', retryable: false }
  return null
}
