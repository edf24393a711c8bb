/**
 * Turns the many shapes of a failed AWS call into one QueueError whose code says what
 * happened, and reads the codes of entries.
 *
 * Shapes  the message is the first line of the service's own, cut to a length: below it
 *         AWS repeats the headers of a request whose signature it refuses, session token
 *         included, and messages are logged.
 * Errors  codes come from the service (`ThrottlingException`), from the network
 *         (`ECONNREFUSED`) or from us (`ETIMEDOUT`).
 * Source  error names differ between servers (`QueueDoesNotExist`,
 *         `AWS.SimpleQueueService.NonExistentQueue`), so callers ask the questions below
 *         instead of comparing texts.
 */
import { QueueError } from '../queue.js'

const LEGACY_PREFIX = 'AWS.SimpleQueueService.'
const MISSING_QUEUE = new Set(['QueueDoesNotExist', 'NonExistentQueue'])
const EXISTING_QUEUE = new Set(['QueueNameExists', 'QueueAlreadyExists'])
/**
 * Entries that say `SenderFault` because the sender was too fast: the same call succeeds
 * later.
 */
const PACE = /throttl|OverLimit/i

const MAX_MESSAGE_CHARS = 300

interface Failed {
  readonly name?: unknown
  readonly code?: unknown
  readonly message?: unknown
  readonly cause?: unknown
}

const text = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null

/**
 * The error's own code, if it has more than its class. Network errors keep it in `code`,
 * service errors in `name`.
 */
function codeOf(failed: Failed): string {
  const code = text(failed.code)
  const name = text(failed.name)
  const own = code ?? (name === null || name === 'Error' ? 'Unknown' : name)
  return own.startsWith(LEGACY_PREFIX) ? own.slice(LEGACY_PREFIX.length) : own
}

function firstLine(message: string): string {
  const [line = ''] = message.split('\n', 1)
  return line.slice(0, MAX_MESSAGE_CHARS)
}

export function asQueueError(error: unknown): QueueError {
  if (error instanceof QueueError) return error
  if (typeof error !== 'object' || error === null)
    return new QueueError('Unknown', String(error), error)
  const failed: Failed = error
  // sqs-consumer wraps what `send` rejected with; only the inner error has the code.
  if (failed.name === 'SQSError' && failed.cause !== undefined) return asQueueError(failed.cause)
  const code = codeOf(failed)
  return new QueueError(code, firstLine(text(failed.message) ?? code), error)
}

export const isMissingQueue = (error: QueueError): boolean => MISSING_QUEUE.has(error.code)
export const isExistingQueue = (error: QueueError): boolean => EXISTING_QUEUE.has(error.code)
export const isDenied = (error: QueueError): boolean => error.code.startsWith('AccessDenied')

/** Whether the same entry may succeed in a later call. */
export function isRetryableEntry(code: string, isSenderFault: boolean): boolean {
  return PACE.test(code) || !(isSenderFault || PERMANENT.has(code))
}
const PERMANENT = new Set(['ReceiptHandleIsInvalid', 'InvalidParameterValue', 'MessageNotInflight'])

/** The code of a failed entry, without the prefix of older servers. */
export const entryCode = (code: string | undefined): string => codeOf({ code })
