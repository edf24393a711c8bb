/**
 * The consumers that ours is measured against, written as people usually write them, and
 * the queue's limit.
 *
 * Each starts its pollers and never ends by itself. Each settled event is reported once;
 * a stored one, with the time it was sent.
 *
 * Units   sentAtMs is milliseconds since 1970 on the queue's clock.
 * Errors  the first failure goes to `onFailed`: a measured run must have none.
 */
import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient
} from '@aws-sdk/client-sqs'
import pg from 'pg'
import { Consumer } from 'sqs-consumer'
import { createSqsClient } from '../../engine/queue/sqs/client.js'
import { BATCH_ENTRIES } from '../../engine/queue/sqs/limits.js'
import type { BaselineSpec } from './protocol.js'

export interface BaselineEvents {
  readonly onStored: (sentAtMs: number) => void
  readonly onDeleted: (messages: number) => void
  readonly onFailed: (error: unknown) => void
}

interface Body {
  readonly client_id: string
  readonly event_type: string
  readonly event_id?: string
  readonly message: unknown
}

const RECEIVE_WAIT_S = 20
const INSERT_ONE =
  'INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message) VALUES ($1, $2, $3, $4)'
const INSERT_RECEIVE = `
INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message)
SELECT client, type, id, body::json
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS t (client, type, id, body)
ON CONFLICT (fk_client_name, message_id) DO NOTHING`

/**
 * A handler of a few lines: one INSERT and one delete per message. It receives in tens;
 * with sqs-consumer's default, one message per receive, it would be slower still.
 */
export function runNaive(spec: BaselineSpec, events: BaselineEvents): void {
  const pool = openPool(spec)
  startConsumers(spec, events, {
    batchSize: BATCH_ENTRIES,
    handleMessage: async message => {
      const { clientId, eventType, id, payload } = readEvent(message)
      await pool.query(INSERT_ONE, [clientId, eventType, id, payload])
      events.onStored(sentAtMs(message))
      return message
    }
  })
}

/** Each receive goes into one INSERT and one batch delete. */
export function runPerReceive(spec: BaselineSpec, events: BaselineEvents): void {
  const pool = openPool(spec)
  startConsumers(spec, events, {
    batchSize: BATCH_ENTRIES,
    handleMessageBatch: async messages => {
      const rows = messages.map(readEvent)
      const columns = [
        rows.map(row => row.clientId),
        rows.map(row => row.eventType),
        rows.map(row => row.id),
        rows.map(row => row.payload)
      ]
      await pool.query(INSERT_RECEIVE, columns)
      for (const message of messages) events.onStored(sentAtMs(message))
      return messages
    }
  })
}

/** Receive and delete only, with the SQS client of ours. */
export function runReceiveDelete(spec: BaselineSpec, events: BaselineEvents): void {
  const sqs = createSqsClient({ ...spec.aws, maxSockets: spec.pollers * 2 })
  const poll = async (): Promise<never> => {
    for (;;) {
      const received = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: spec.queueUrl,
          MaxNumberOfMessages: BATCH_ENTRIES,
          WaitTimeSeconds: RECEIVE_WAIT_S
        })
      )
      const messages = received.Messages ?? []
      if (messages.length === 0) continue
      const entries = messages.map((message, index) => ({
        Id: String(index),
        ReceiptHandle: message.ReceiptHandle
      }))
      const { Failed: failed = [] } = await sqs.send(
        new DeleteMessageBatchCommand({ QueueUrl: spec.queueUrl, Entries: entries })
      )
      if (failed.length > 0)
        throw new Error(`${failed.length} deletes failed: ${failed[0]?.Code ?? ''}`)
      events.onDeleted(messages.length)
    }
  }
  for (let poller = 0; poller < spec.pollers; poller++) poll().catch(events.onFailed)
}

type Handler = Pick<
  Parameters<typeof Consumer.create>[0],
  'batchSize' | 'handleMessage' | 'handleMessageBatch'
>

function startConsumers(
  { aws, queueUrl, pollers }: BaselineSpec,
  events: BaselineEvents,
  handler: Handler
): void {
  const sqs = new SQSClient({ ...aws, useQueueUrlAsEndpoint: false })
  for (let poller = 0; poller < pollers; poller++) {
    const consumer = Consumer.create({
      sqs,
      queueUrl,
      waitTimeSeconds: RECEIVE_WAIT_S,
      messageSystemAttributeNames: ['SentTimestamp'],
      ...handler
    })
    consumer.on('message_processed', () => events.onDeleted(1))
    consumer.on('error', events.onFailed)
    consumer.on('processing_error', events.onFailed)
    consumer.on('timeout_error', events.onFailed)
    consumer.start()
  }
}

function openPool({ dbConnection, pollers }: BaselineSpec): pg.Pool {
  return new pg.Pool({
    connectionString: dbConnection,
    max: pollers,
    application_name: 'event-process bench'
  })
}

function readEvent(message: Message): {
  clientId: string
  eventType: string
  id: string
  payload: string
} {
  const body = JSON.parse(message.Body ?? '') as Body
  return {
    clientId: body.client_id,
    eventType: body.event_type,
    id: body.event_id ?? message.MessageId ?? '',
    payload: JSON.stringify(body.message)
  }
}

function sentAtMs(message: Message): number {
  return Number(message.Attributes?.SentTimestamp)
}
