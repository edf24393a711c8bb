/**
 * Sends bodies to the queue again, unchanged, with their origin and in the turn of their
 * client.
 *
 * Shapes  messages in, one outcome each out: sent, refused for good, or failed for now.
 * Errors  a failed call is an outcome of its messages. Nobody knows then whether the
 *         queue accepted them: they count as not sent, and a later copy is a duplicate.
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
 * Puts a message in its client's group, as producers do; a body without a client gets no
 * group. A body of the largest size leaves no room for its origin; an event with its own
 * id does not need it.
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
