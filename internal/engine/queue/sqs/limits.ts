/**
 * What SQS accepts, checked before a call is made.
 *
 * Units   bytes are UTF-8 bytes; seconds are whole.
 * Errors  RangeError where the caller broke the port's contract; a SendOutcome where a
 *         message cannot be sent.
 * Source  Amazon SQS quotas: 10 messages per receive, 10 entries per batch call, 1 MiB
 *         per message and per batch call, delays of at most 15 minutes and visibility of
 *         at most 12 hours; bodies hold the characters of XML 1.0.
 */
import { ORIGIN_ATTRIBUTE } from '../origin.js'
import type { OutgoingMessage, QueueLimits, SendLimits, SendOutcome } from '../queue.js'

/** Entries of one batch call, messages of one receive. */
export const BATCH_ENTRIES = 10
export const MAX_MESSAGE_BYTES = 1_048_576
const MAX_DELAY_S = 900
const MAX_VISIBILITY_S = 43_200

export const SQS_LIMITS: QueueLimits = { receive: BATCH_ENTRIES, settle: BATCH_ENTRIES }
export const SQS_SEND_LIMITS: SendLimits = {
  entries: BATCH_ENTRIES,
  bytes: MAX_MESSAGE_BYTES,
  delayS: MAX_DELAY_S
}

const FORBIDDEN_CHARACTER = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\ud800-\udfff]/u

/**
 * Whole seconds that the queue accepts: rounded up, so that a message never comes back
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
 * Why a message of this size can never be sent, or null. Checked first, because SQS would
 * refuse the whole batch for one such message.
 */
export function refusalOf(
  message: OutgoingMessage,
  bytes = messageBytes(message)
): SendOutcome | null {
  if (message.body === '') return { code: 'MissingParameter', retryable: false }
  if (bytes > MAX_MESSAGE_BYTES) return { code: 'MessageTooLong', retryable: false }
  if (FORBIDDEN_CHARACTER.test(message.body))
    return { code: 'InvalidMessageContents', retryable: false }
  return null
}
