/**
 * The calls that the lean transport makes itself, and the inputs and answers that it
 * understands.
 *
 * Shapes  in AWS JSON 1.0 a command's input is its body and the answer is its output, so
 *         nothing is mapped. Anything that needs more (binary attribute values) or is not
 *         as it should be (a missing field, a wrong MD5) is not judged here: `false`
 *         leaves it to the SDK.
 * Units   seconds as SQS counts them.
 * Source  Amazon SQS API reference; the SDK checks the MD5 of bodies, not that of
 *         attributes, and none if `md5` is off.
 */
import { hash } from 'node:crypto'
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand
} from '@aws-sdk/client-sqs'

export type Fields = Readonly<Record<string, unknown>>

export interface HotCall {
  /** The `x-amz-target`. */
  readonly target: string
  /**
   * How long the answer may rightly take; after this and a margin the call counts as a
   * transient failure, and is made again.
   */
  readonly waitTimeS: (input: Fields) => number
  readonly canSend: (input: Fields) => boolean
  readonly isWhole: (answer: Fields, input: Fields, checkMd5: boolean) => boolean
}

/**
 * The longest poll there is. A receive without a time of its own waits as long as its
 * queue says.
 */
const LONGEST_WAIT_S = 20

const at = (value: unknown, key: string): unknown => (isFields(value) ? value[key] : undefined)
const isSet = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null
export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const settles = (operation: string): HotCall => ({
  target: `AmazonSQS.${operation}`,
  waitTimeS: () => 0,
  canSend: () => true,
  isWhole: answer => isBatchAnswer(answer)
})

const receive: HotCall = {
  target: 'AmazonSQS.ReceiveMessage',
  waitTimeS: ({ WaitTimeSeconds: waitTimeS }) =>
    typeof waitTimeS === 'number' ? waitTimeS : LONGEST_WAIT_S,
  canSend: () => true,
  isWhole({ Messages: messages }, _, checkMd5) {
    if (messages === undefined) return true
    return Array.isArray(messages) && messages.every(message => isMessage(message, checkMd5))
  }
}

const send: HotCall = {
  target: 'AmazonSQS.SendMessageBatch',
  // Repeating a send that was only slow would send everything twice. This is long enough
  // for the caller's own deadline to come first.
  waitTimeS: () => LONGEST_WAIT_S,
  canSend: ({ Entries: entries }) =>
    Array.isArray(entries) &&
    entries.every(
      entry =>
        !isSet(at(entry, 'MessageAttributes')) && !isSet(at(entry, 'MessageSystemAttributes'))
    ),
  isWhole(answer, { Entries: sent }, checkMd5) {
    if (!isBatchAnswer(answer)) return false
    if (!checkMd5 || !Array.isArray(answer['Successful']) || !Array.isArray(sent)) return true
    const bodies = new Map(
      sent.map((entry: unknown) => [at(entry, 'Id'), at(entry, 'MessageBody')])
    )
    return answer['Successful'].every(entry =>
      isMd5(at(entry, 'MD5OfMessageBody'), bodies.get(at(entry, 'Id')))
    )
  }
}

/** By the command's class. */
export const HOT_CALLS: ReadonlyMap<unknown, HotCall> = new Map<unknown, HotCall>([
  [ReceiveMessageCommand, receive],
  [DeleteMessageBatchCommand, settles('DeleteMessageBatch')],
  [ChangeMessageVisibilityBatchCommand, settles('ChangeMessageVisibilityBatch')],
  [SendMessageBatchCommand, send]
])

function isMessage(message: unknown, checkMd5: boolean): boolean {
  if (!isFields(message)) return false
  const {
    Body: body,
    MD5OfBody: md5,
    Attributes: attributes,
    MessageAttributes: ofSender
  } = message
  if (
    ofSender !== undefined &&
    !(isFields(ofSender) && Object.values(ofSender).every(isTextAttribute))
  )
    return false
  return (
    typeof body === 'string' &&
    (attributes === undefined || isFields(attributes)) &&
    (!checkMd5 || isMd5(md5, body))
  )
}

/** Text is the same in the answer and in the output; bytes are not. */
function isTextAttribute(attribute: unknown): boolean {
  return (
    isFields(attribute) &&
    Object.values(attribute).every(value => typeof value === 'string') &&
    !('BinaryValue' in attribute)
  )
}

const isBatchAnswer = ({ Successful: successful, Failed: failed }: Fields): boolean =>
  areEntries(successful) && areEntries(failed)

const areEntries = (entries: unknown): boolean =>
  entries === undefined || (Array.isArray(entries) && entries.every(isFields))

const isMd5 = (md5: unknown, body: unknown): boolean =>
  typeof body === 'string' && md5 === hash('md5', body)
