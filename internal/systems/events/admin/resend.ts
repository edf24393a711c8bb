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

import type { OutgoingMessage, QueueWriter } from '../../../engine/queue/queue.js'
import { sendAll, type UnsentItem } from '../../../engine/queue/send-all.js'
import type { Resent, Unsent } from '../../../engine/rejections/redrive-report.js'
import { readBodyNames } from './body-names.js'

export interface Resendable {
  readonly queueMessageId: string
  /** The queue message id under which its event was first accepted. */
  readonly origin: string
  readonly body: string
}

export async function resend(
  messages: readonly Resendable[],
  writer: Pick<QueueWriter, 'send' | 'takes'>
): Promise<Resent> {
  const report = await sendAll(messages, message => toOutgoing(message, writer), writer)
  return {
    sent: report.sent.map(({ item }) => item.queueMessageId),
    refused: report.refused.map(toUnsent),
    failed: report.failed.map(toUnsent)
  }
}

const toUnsent = ({ item, code }: UnsentItem<Resendable>): Unsent => ({
  queueMessageId: item.queueMessageId,
  code
})

/**
 * In its client's turn, as the producers send it; a body that names none is nobody's. A
 * body of the largest size has no room for its origin beside it; an event with an id of
 * its own does not need it.
 */
function toOutgoing(
  { body, origin }: Resendable,
  writer: Pick<QueueWriter, 'takes'>
): OutgoingMessage {
  const { clientId, eventId } = readBodyNames(body)
  const outgoing = clientId === null || clientId === '' ? { body } : { body, group: clientId }
  const withOrigin = { ...outgoing, origin }
  return eventId !== null && !writer.takes(withOrigin) ? outgoing : withOrigin
}
