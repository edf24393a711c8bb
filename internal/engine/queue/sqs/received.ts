/** Turns a message of the SDK into one of the engine. */
import type { Message, MessageSystemAttributeName } from '@aws-sdk/client-sqs'
import type { Clock } from '../../lifecycle/clock.js'
import type { ReceivedMessage } from '../../message/message.js'
import { ORIGIN_ATTRIBUTE, readOrigin } from '../origin.js'
import { QueueError } from '../queue.js'

/** What each receive must ask for. */
export const SYSTEM_ATTRIBUTES: MessageSystemAttributeName[] = [
  'ApproximateReceiveCount',
  'SentTimestamp'
]
export const MESSAGE_ATTRIBUTES = [ORIGIN_ATTRIBUTE]

export function toReceived(message: Message, clock: Clock): ReceivedMessage {
  const { MessageId: id, ReceiptHandle: token, Body: body = '', Attributes: attributes } = message
  if (id === undefined || token === undefined)
    throw new QueueError('InvalidResponse', 'a message without id or receipt handle')
  const sentAtMs = Number(attributes?.SentTimestamp)
  const receiveCount = Number(attributes?.ApproximateReceiveCount)
  const received = {
    id,
    token,
    body,
    bytes: Buffer.byteLength(body),
    receiveCount: receiveCount >= 1 ? receiveCount : 1,
    sentAtMs: sentAtMs > 0 ? sentAtMs : clock.epochMs()
  }
  const origin = readOrigin(message.MessageAttributes?.[ORIGIN_ATTRIBUTE]?.StringValue)
  return origin === undefined ? received : { ...received, origin }
}
