/**
 * The queue on Amazon SQS, or on anything that answers its API.
 *
 * Shapes  the client is given and stays the caller's: `close` ends the polling and leaves
 *         the client alone. Batch entries are named by their index, so that a message
 *         that is there twice (two handles) cannot make the ids clash.
 * Units   seconds as SQS counts them.
 * Errors  an entry that the answer does not name counts as failed: what nobody confirmed
 *         is not settled.
 * Source  Amazon SQS API reference: ReceiveMessage (short and long polling),
 *         DeleteMessageBatch, ChangeMessageVisibilityBatch, GetQueueAttributes.
 */
import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand
} from '@aws-sdk/client-sqs'
import type { Clock } from '../../lifecycle/clock.js'
import {
  type InspectableQueue,
  MAX_BATCH_ENTRIES,
  type Receipt,
  type Receiver,
  type SettleFailure
} from '../queue.js'
import { entryCode, isRetryableEntry } from './aws-error.js'
import { CALL_DEADLINE_MS, type SqsSender, withDeadline } from './call.js'
import { assertBatchEntries, clampVisibilityS } from './limits.js'
import { createReceiver } from './poll-loop.js'
import { MESSAGE_ATTRIBUTES, SYSTEM_ATTRIBUTES, toReceived } from './received.js'

export interface SqsQueueOptions {
  readonly sqs: SqsSender
  /** As CreateQueue or GetQueueUrl answered it. */
  readonly queueUrl: string
  /** Receives at the same time, each of up to 10 messages. */
  readonly pollers: number
  readonly visibilityTimeoutS: number
  /** Long polling: 0 to 20. */
  readonly waitTimeS: number
  readonly clock: Clock
  /** For the jitter of the backoff; in [0, 1). */
  readonly random?: () => number
}

/**
 * With no wait at all SQS asks only some of its servers, and may find nothing in a queue
 * that holds something.
 */
const TAKE_WAIT_S = 1

interface BatchAnswer {
  readonly Successful?: readonly { readonly Id?: string | undefined }[] | undefined
  readonly Failed?: readonly BatchResultErrorEntry[] | undefined
}

export function createSqsQueue(options: SqsQueueOptions): InspectableQueue {
  const { sqs, queueUrl, clock, random = Math.random } = options
  const receivers = new Set<Receiver>()
  const call = <T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    withDeadline(clock, CALL_DEADLINE_MS, run)

  async function changeVisibility(
    receipts: readonly Receipt[],
    seconds: number
  ): Promise<readonly SettleFailure[]> {
    assertBatchEntries(receipts)
    const visibleS = clampVisibilityS(seconds)
    if (receipts.length === 0) return []
    const entries = receipts.map(({ receiptHandle }, index) => ({
      Id: String(index),
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: visibleS
    }))
    const command = new ChangeMessageVisibilityBatchCommand({
      QueueUrl: queueUrl,
      Entries: entries
    })
    return failuresIn(receipts, await call(signal => sqs.send(command, { abortSignal: signal })))
  }

  return {
    receive(receiveOptions) {
      const giveBack = async (receipts: readonly Receipt[]): Promise<void> => {
        // Best effort: without it the messages come back when their visibility timeout
        // ends.
        await changeVisibility(receipts, 0).catch(() => undefined)
      }
      const receiver = createReceiver({ ...options, random, giveBack }, receiveOptions)
      receivers.add(receiver)
      return {
        stop() {
          receivers.delete(receiver)
          return receiver.stop()
        }
      }
    },

    async take(max, seconds) {
      const command = new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: Math.min(max, MAX_BATCH_ENTRIES),
        VisibilityTimeout: clampVisibilityS(seconds),
        WaitTimeSeconds: TAKE_WAIT_S,
        MessageSystemAttributeNames: SYSTEM_ATTRIBUTES,
        MessageAttributeNames: MESSAGE_ATTRIBUTES
      })
      const { Messages: messages = [] } = await call(signal =>
        sqs.send(command, { abortSignal: signal })
      )
      return messages.map(message => toReceived(message, clock))
    },

    async ack(receipts) {
      assertBatchEntries(receipts)
      if (receipts.length === 0) return []
      const entries = receipts.map(({ receiptHandle }, index) => ({
        Id: String(index),
        ReceiptHandle: receiptHandle
      }))
      const command = new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries })
      return failuresIn(receipts, await call(signal => sqs.send(command, { abortSignal: signal })))
    },

    extend: changeVisibility,

    async depth() {
      const command = new GetQueueAttributesCommand({
        QueueUrl: queueUrl,
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesDelayed'
        ]
      })
      const { Attributes: attributes } = await call(signal =>
        sqs.send(command, { abortSignal: signal })
      )
      return {
        visible: Number(attributes?.ApproximateNumberOfMessages ?? 0),
        inFlight: Number(attributes?.ApproximateNumberOfMessagesNotVisible ?? 0),
        delayed: Number(attributes?.ApproximateNumberOfMessagesDelayed ?? 0)
      }
    },

    async close() {
      await Promise.all([...receivers].map(receiver => receiver.stop()))
      receivers.clear()
    }
  }
}

function failuresIn(receipts: readonly Receipt[], answer: BatchAnswer): readonly SettleFailure[] {
  const succeeded = new Set(answer.Successful?.map(entry => entry.Id))
  const failed = new Map(answer.Failed?.map(entry => [entry.Id, entry]))
  return receipts.flatMap(({ id }, index): SettleFailure[] => {
    const entry = failed.get(String(index))
    if (entry !== undefined) {
      const code = entryCode(entry.Code)
      return [{ id, code, retryable: isRetryableEntry(code, entry.SenderFault === true) }]
    }
    return succeeded.has(String(index))
      ? []
      : [{ id, code: 'MissingFromResponse', retryable: true }]
  })
}
