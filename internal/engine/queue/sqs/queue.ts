/**
 * The queue on Amazon SQS, or on anything that answers its API.
 *
 * Shapes  the client stays the caller's: `close` ends the polling and leaves the client
 *         alone. A nack makes a message visible at once. Batch entries are named by their
 *         index, so that a message listed twice (two handles) cannot make the ids clash.
 * Units   seconds as SQS counts them.
 * Errors  an entry that the answer does not name counts as failed: without confirmation
 *         nothing is settled.
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
import type { InspectableQueue, Leases, Receipt, Receiving, SettleFailure } from '../queue.js'
import { entryCode, isRetryableEntry } from './aws-error.js'
import { settleInBatches } from './batches.js'
import { CALL_DEADLINE_MS, type SqsSender, withDeadline } from './call.js'
import { BATCH_ENTRIES, clampVisibilityS, SQS_LIMITS } from './limits.js'
import { startPolling } from './poll-loop.js'
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
 * Without any wait SQS asks only some of its servers, and may find nothing in a queue
 * that holds messages.
 */
const TAKE_WAIT_S = 1

interface BatchAnswer {
  readonly Successful?: readonly { readonly Id?: string | undefined }[] | undefined
  readonly Failed?: readonly BatchResultErrorEntry[] | undefined
}

/** SQS has every capability of the port except dead letters on demand. */
export interface SqsQueue extends InspectableQueue {
  readonly leases: Leases
  readonly deadLetters: null
}

export function createSqsQueue(options: SqsQueueOptions): SqsQueue {
  const { sqs, queueUrl, clock, random = Math.random } = options
  const underWay = new Set<Receiving>()
  const call = <T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    withDeadline(clock, CALL_DEADLINE_MS, run)

  async function deleteBatch(receipts: readonly Receipt[]): Promise<readonly SettleFailure[]> {
    const entries = receipts.map(({ token }, index) => ({
      Id: String(index),
      ReceiptHandle: token
    }))
    const command = new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries })
    return failuresIn(receipts, await call(signal => sqs.send(command, { abortSignal: signal })))
  }

  async function hideBatch(
    receipts: readonly Receipt[],
    visibleS: number
  ): Promise<readonly SettleFailure[]> {
    const entries = receipts.map(({ token }, index) => ({
      Id: String(index),
      ReceiptHandle: token,
      VisibilityTimeout: visibleS
    }))
    const command = new ChangeMessageVisibilityBatchCommand({
      QueueUrl: queueUrl,
      Entries: entries
    })
    return failuresIn(receipts, await call(signal => sqs.send(command, { abortSignal: signal })))
  }

  async function extend(
    receipts: readonly Receipt[],
    seconds: number
  ): Promise<readonly SettleFailure[]> {
    const visibleS = clampVisibilityS(seconds)
    return settleInBatches(receipts, batch => hideBatch(batch, visibleS))
  }

  const nack = (receipts: readonly Receipt[]): Promise<readonly SettleFailure[]> =>
    settleInBatches(receipts, batch => hideBatch(batch, 0))

  /** Best effort: what stays hidden comes back when its visibility timeout ends. */
  async function giveBack(receipts: readonly Receipt[]): Promise<void> {
    await nack(receipts).catch(() => undefined)
  }

  return {
    limits: SQS_LIMITS,
    countsDeliveries: true,
    leases: { seconds: options.visibilityTimeoutS, extend },
    deadLetters: null,
    inspect: {
      async take(max, seconds) {
        const command = new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: Math.min(max, BATCH_ENTRIES),
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
      }
    },

    receive(receiveOptions) {
      const receiving = startPolling({ ...options, random, giveBack }, receiveOptions)
      underWay.add(receiving)
      return {
        stop() {
          underWay.delete(receiving)
          return receiving.stop()
        }
      }
    },

    ack: receipts => settleInBatches(receipts, deleteBatch),
    nack,

    async close() {
      await Promise.all([...underWay].map(receiving => receiving.stop()))
      underWay.clear()
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
