/**
 * Sends messages to SQS.
 *
 * Errors  a message that can never be sent is refused alone, without a call: SQS would refuse the whole batch that holds it.
 *         An entry that the answer does not name counts as failed and retryable.
 * Source  Amazon SQS API reference: SendMessageBatch.
 */
import { SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import { type Clock, systemClock } from '../lifecycle/clock.js'
import { entryCode, isRetryableEntry } from './aws-error.js'
import { CALL_DEADLINE_MS, type SqsSender, withDeadline } from './call.js'
import { assertBatchEntries, refusalOf } from './limits.js'
import { ORIGIN_ATTRIBUTE } from './origin.js'
import type { OutgoingMessage, QueueWriter, SendOutcome } from './queue.js'

export interface SqsWriterOptions {
  /** Stays the caller's: `close` leaves it alone. */
  readonly sqs: SqsSender
  readonly queueUrl: string
  readonly clock?: Clock
}

export function createSqsWriter({ sqs, queueUrl, clock = systemClock }: SqsWriterOptions): QueueWriter {
  return {
    async send(messages) {
      assertBatchEntries(messages)
      const outcomes = messages.map(refusalOf)
      const entries = messages.flatMap((message, index) => (outcomes[index] === null ? [toEntry(message, index)] : []))
      if (entries.length > 0) {
        const command = new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries })
        const answer = await withDeadline(clock, CALL_DEADLINE_MS, signal => sqs.send(command, { abortSignal: signal }))
        for (const { Id, MessageId: id } of answer.Successful ?? []) {
          if (id !== undefined) outcomes[Number(Id)] = { id }
        }
        for (const { Id, Code, SenderFault } of answer.Failed ?? []) {
          const code = entryCode(Code)
          outcomes[Number(Id)] = { code, retryable: isRetryableEntry(code, SenderFault === true) }
        }
      }
      return outcomes.map((outcome): SendOutcome => outcome ?? { code: 'MissingFromResponse', retryable: true })
    },
    close: () => Promise.resolve()
  }
}

function toEntry({ body, origin }: OutgoingMessage, index: number) {
  const entry = { Id: String(index), MessageBody: body }
  return origin === undefined ? entry : { ...entry, MessageAttributes: { [ORIGIN_ATTRIBUTE]: { DataType: 'String', StringValue: origin } } }
}
