/**
 * Sends bodies to the queue again, as they are, together with where they come from and in
 * the turn of their client.
 *
 * Shapes  messages in, one outcome each out: sent, refused for good, or failed for now.
 * Errors  a failed call is an outcome of its messages. Whether it was accepted nobody
 *         knows then: it counts as not sent, and the copy that is sent later is found to
 *         be a duplicate.
 * Source  internal/docs/decisions/0010-redrive-origin.md
 */

import {
  MAX_BATCH_ENTRIES,
  type OutgoingMessage,
  QueueError,
  type QueueWriter,
  type SendOutcome
} from '../../../engine/queue/queue.js'
import { MAX_MESSAGE_BYTES, messageBytes } from '../../../engine/queue/sqs/limits.js'
import { readBodyNames } from './body-names.js'

export interface Resendable {
  readonly queueMessageId: string
  /** The queue message id under which its event was first accepted. */
  readonly origin: string
  readonly body: string
}

/** A message that was not sent, and the queue's reason. */
export interface Unsent {
  readonly queueMessageId: string
  readonly code: string
}

export interface Resent {
  /** Queue message ids of what was sent. */
  readonly sent: readonly string[]
  /** The queue will never take these. */
  readonly refused: readonly Unsent[]
  /** These may be taken later. */
  readonly failed: readonly Unsent[]
}

export async function resend(
  messages: readonly Resendable[],
  writer: QueueWriter
): Promise<Resent> {
  const resent = { sent: [] as string[], refused: [] as Unsent[], failed: [] as Unsent[] }
  for (const call of callsFor(messages)) {
    const outcomes = await attempt(
      call.map(({ outgoing }) => outgoing),
      writer
    )
    for (const [index, { queueMessageId }] of call.entries()) {
      const outcome = outcomes[index] ?? { code: 'NoOutcome', retryable: true }
      if ('id' in outcome) resent.sent.push(queueMessageId)
      else
        (outcome.retryable ? resent.failed : resent.refused).push({
          queueMessageId,
          code: outcome.code
        })
    }
  }
  return resent
}

async function attempt(
  messages: readonly OutgoingMessage[],
  writer: QueueWriter
): Promise<readonly SendOutcome[]> {
  try {
    return await writer.send(messages)
  } catch (error) {
    if (!(error instanceof QueueError)) throw error
    const { code } = error
    return messages.map(() => ({ code, retryable: true }))
  }
}

interface Sending {
  readonly queueMessageId: string
  readonly outgoing: OutgoingMessage
}

/** As many as one call of the queue holds, in messages and in bytes. */
function callsFor(messages: readonly Resendable[]): readonly (readonly Sending[])[] {
  const calls: Sending[][] = []
  let call: Sending[] = []
  let bytes = 0
  for (const { queueMessageId, body, origin } of messages) {
    const outgoing = toOutgoing(body, origin)
    const size = messageBytes(outgoing)
    if (
      call.length === 0 ||
      call.length === MAX_BATCH_ENTRIES ||
      bytes + size > MAX_MESSAGE_BYTES
    ) {
      call = []
      bytes = 0
      calls.push(call)
    }
    call.push({ queueMessageId, outgoing })
    bytes += size
  }
  return calls
}

/**
 * In its client's turn, as the producers send it; a body that names none is nobody's. A
 * body of the largest size has no room for its origin beside it; an event with an id of
 * its own does not need it.
 */
function toOutgoing(body: string, origin: string): OutgoingMessage {
  const { clientId, eventId } = readBodyNames(body)
  const outgoing = clientId === null || clientId === '' ? { body } : { body, group: clientId }
  const withOrigin = { ...outgoing, origin }
  return messageBytes(withOrigin) > MAX_MESSAGE_BYTES && eventId !== null ? outgoing : withOrigin
}
