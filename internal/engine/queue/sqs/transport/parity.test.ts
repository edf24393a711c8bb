import { hash } from 'node:crypto'
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
  type SQSClientConfig
} from '@aws-sdk/client-sqs'
import t from 'tap'
import { startTestSqs, TEST_CREDENTIALS, TEST_REGION } from '../../../../lab/testing/sqs.js'
import { answerJson, startStubHttp } from '../../../../lab/testing/stub-http.js'
import { isFields } from './hot-calls.js'
import { createLeanClient } from './lean-client.js'

const clientsOf = (endpoint: string) => {
  const config: SQSClientConfig = {
    region: TEST_REGION,
    credentials: TEST_CREDENTIALS,
    endpoint,
    useQueueUrlAsEndpoint: false,
    maxAttempts: 1
  }
  return {
    sdk: new SQSClient(config),
    lean: createLeanClient({ config, maxSockets: 4, connectTimeoutMs: 3_000 })
  }
}

/**
 * The outcome of a call, without what differs each time; of the metadata, status and
 * attempts.
 */
async function outcome(
  client: SQSClient,
  command: unknown,
  isVolatile: (key: string) => boolean = () => false
): Promise<unknown> {
  const send = client.send.bind(client) as (command: unknown, options: unknown) => Promise<unknown>
  const steady = (key: string, value: unknown): unknown => {
    if (key === '$metadata')
      return isFields(value)
        ? { status: value['httpStatusCode'], attempts: value['attempts'] }
        : value
    return isVolatile(key) ? typeof value : value
  }
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value, steady))
  try {
    return plain(await send(command, { abortSignal: new AbortController().signal }))
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return {
      kind: error.constructor.name,
      name: error.name,
      message: error.message,
      fields: plain(error)
    }
  }
}

const QUEUE_URL = 'http://queue.example/000000000000/queue'
const receive = () => new ReceiveMessageCommand({ QueueUrl: QUEUE_URL })
const remove = () =>
  new DeleteMessageBatchCommand({ QueueUrl: QUEUE_URL, Entries: [{ Id: '0', ReceiptHandle: 'h' }] })
const extend = () =>
  new ChangeMessageVisibilityBatchCommand({
    QueueUrl: QUEUE_URL,
    Entries: [{ Id: '0', ReceiptHandle: 'h', VisibilityTimeout: 1 }]
  })
const send = () =>
  new SendMessageBatchCommand({ QueueUrl: QUEUE_URL, Entries: [{ Id: '0', MessageBody: 'ä' }] })

await t.test('the same bytes mean the same over both transports, however odd they are', async t => {
  const text = 'a "quoted" ä\u2028\ud83d\ude00'
  const good = {
    MessageId: 'm',
    ReceiptHandle: 'h',
    MD5OfBody: hash('md5', text),
    Body: text,
    Attributes: { SentTimestamp: '1' }
  }
  const sent = { Id: '0', MessageId: 'm', MD5OfMessageBody: hash('md5', 'ä') }
  const attributes = {
    a: { DataType: 'String', StringValue: 'ä' },
    b: { DataType: 'Number.int', StringValue: '1' }
  }
  const binary = { c: { DataType: 'Binary', BinaryValue: 'AQID' } }
  const failed = { Id: '0', SenderFault: true, Code: 'ReceiptHandleIsInvalid', Message: 'why' }
  const rows: {
    why: string
    make: () => unknown
    status?: number
    body: unknown
    headers?: Record<string, string>
  }[] = [
    {
      why: 'messages',
      make: receive,
      body: { Messages: [good, { ...good, Attributes: undefined }] }
    },
    { why: 'no messages', make: receive, body: { Messages: [] } },
    { why: 'nothing', make: receive, body: {} },
    { why: 'messages that are null', make: receive, body: { Messages: null } },
    { why: 'a message that is null', make: receive, body: { Messages: [null] } },
    {
      why: 'fields that are null',
      make: receive,
      body: { Messages: [{ ...good, Attributes: null }] }
    },
    {
      why: 'an empty body that is left out',
      make: receive,
      body: { Messages: [{ ...good, Body: undefined, MD5OfBody: hash('md5', '') }] }
    },
    {
      why: 'attributes of the sender',
      make: receive,
      body: { Messages: [{ ...good, MessageAttributes: attributes }] }
    },
    {
      why: 'a binary one',
      make: receive,
      body: { Messages: [{ ...good, MessageAttributes: { ...attributes, ...binary } }] }
    },
    {
      why: 'odd ones',
      make: receive,
      body: {
        Messages: [{ ...good, MessageAttributes: { a: null, b: { StringValue: null }, c: 5 } }]
      }
    },
    {
      why: 'lists of them',
      make: receive,
      body: { Messages: [{ ...good, MessageAttributes: { a: { BinaryListValues: ['AQ=='] } } }] }
    },
    {
      why: 'attributes of the sender that are null',
      make: receive,
      body: { Messages: [{ ...good, MessageAttributes: null }] }
    },
    {
      why: 'a message without handle',
      make: receive,
      body: { Messages: [{ ...good, ReceiptHandle: undefined }] }
    },
    {
      why: 'a message without MD5',
      make: receive,
      body: { Messages: [{ ...good, MD5OfBody: undefined }] }
    },
    {
      why: 'an id that is a number',
      make: receive,
      body: { Messages: [{ ...good, MessageId: 5 }] }
    },
    {
      why: 'a handle that is a number',
      make: receive,
      body: { Messages: [{ ...good, ReceiptHandle: 5 }] }
    },
    { why: 'a wrong MD5', make: receive, body: { Messages: [good, { ...good, Body: 'another' }] } },
    { why: 'not JSON', make: receive, body: '<html>' },
    { why: 'half of it', make: receive, body: '{"Messages":[' },
    { why: 'JSON that is not an object', make: receive, body: '[]' },
    { why: 'empty', make: receive, body: '' },
    { why: 'a settled entry', make: remove, body: { Successful: [{ Id: '0' }], Failed: [] } },
    { why: 'a failed entry', make: remove, body: { Successful: [], Failed: [failed] } },
    { why: 'lists that are null', make: remove, body: { Successful: null, Failed: null } },
    { why: 'an extended entry', make: extend, body: { Successful: [{ Id: '0' }] } },
    { why: 'a failed extension', make: extend, body: { Failed: [failed] } },
    { why: 'a sent entry', make: send, body: { Successful: [sent] } },
    {
      why: 'a sent entry, and a list that is null',
      make: send,
      body: { Successful: [sent], Failed: null }
    },
    {
      why: 'a sent entry with a wrong MD5',
      make: send,
      body: { Successful: [{ ...sent, MD5OfMessageBody: 'no' }] }
    },
    {
      why: 'a sent entry without MD5',
      make: send,
      body: { Successful: [{ ...sent, MD5OfMessageBody: undefined }] }
    },
    {
      why: 'a failure with a type',
      make: send,
      status: 400,
      body: { __type: 'com.amazonaws.sqs#InvalidMessageContents', message: 'why' }
    },
    {
      why: 'a failure with an older name',
      make: receive,
      status: 400,
      body: { __type: 'com.amazonaws.sqs#QueueDoesNotExist', message: 'why' },
      headers: { 'x-amzn-query-error': 'AWS.SimpleQueueService.NonExistentQueue;Sender' }
    },
    {
      why: 'an unknown failure',
      make: remove,
      status: 409,
      body: { __type: 'Odd', Message: 'why' }
    },
    {
      why: 'a refusal',
      make: remove,
      status: 403,
      body: { __type: 'AccessDeniedException', message: 'why' }
    },
    { why: 'throttled', make: remove, status: 429, body: {} },
    { why: 'a failure without JSON', make: receive, status: 502, body: '<html>' },
    {
      why: 'a redirection',
      make: receive,
      status: 302,
      body: '',
      headers: { location: '/elsewhere' }
    }
  ]
  let row = rows[0]!
  const stub = await startStubHttp(t, reply =>
    answerJson(reply, row.status ?? 200, row.body, row.headers)
  )
  const { sdk, lean } = clientsOf(stub.origin)
  t.teardown(() => sdk.destroy())
  t.teardown(() => lean.destroy())
  for (row of rows)
    t.strictSame(await outcome(lean, row.make()), await outcome(sdk, row.make()), row.why)
})

await t.test('on an emulator the same calls have the same outcome', async t => {
  const { endpoint, createQueue } = await startTestSqs(t)
  const { sdk, lean } = clientsOf(endpoint)
  t.teardown(() => sdk.destroy())
  t.teardown(() => lean.destroy())
  const { queueUrl } = createQueue()
  const entries = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      Id: String(index),
      MessageBody: `body "${index}" ä`
    }))
  const handle = (Id: string, ReceiptHandle = 'unknown') => ({
    Id,
    ReceiptHandle,
    VisibilityTimeout: 1
  })
  const names: ('ApproximateReceiveCount' | 'SentTimestamp')[] = [
    'ApproximateReceiveCount',
    'SentTimestamp'
  ]
  const rows: { why: string; make: () => unknown; want?: string }[] = [
    {
      why: 'sent',
      make: () => new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries(10) })
    },
    {
      why: 'received',
      make: () =>
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: 10,
          MessageSystemAttributeNames: names
        })
    },
    {
      why: 'received from an empty queue',
      make: () => new ReceiveMessageCommand({ QueueUrl: queueUrl, WaitTimeSeconds: 0 })
    },
    {
      why: 'an unknown handle',
      make: () =>
        new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries: [handle('0')] })
    },
    {
      why: 'deleted',
      make: () => new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: [handle('0')] })
    },
    {
      why: 'no such queue',
      want: 'QueueDoesNotExist',
      make: () => new ReceiveMessageCommand({ QueueUrl: `${queueUrl}-gone` })
    },
    {
      why: 'no entries',
      want: 'EmptyBatchRequest',
      make: () => new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: [] })
    },
    {
      why: 'too many entries',
      want: 'TooManyEntriesInBatchRequest',
      make: () => new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries(11) })
    },
    {
      why: 'ids that are not distinct',
      want: 'BatchEntryIdsNotDistinct',
      make: () =>
        new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: [handle('0'), handle('0')] })
    },
    {
      why: 'too much',
      want: 'BatchRequestTooLong',
      make: () =>
        new SendMessageBatchCommand({
          QueueUrl: queueUrl,
          Entries: [{ Id: '0', MessageBody: 'x'.repeat(1_048_577) }]
        })
    },
    {
      why: 'an invalid number',
      make: () => new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 11 })
    }
  ]
  const volatile = new Set([
    'MessageId',
    'ReceiptHandle',
    'SentTimestamp',
    'RequestId',
    'requestId'
  ])
  // A message that one client receives is hidden from the other, so each sends ten.
  for (const client of [sdk, lean]) await outcome(client, rows[0]!.make())
  for (const { why, make, want } of rows.slice(1)) {
    const ours = await outcome(lean, make(), key => volatile.has(key))
    t.strictSame(ours, await outcome(sdk, make(), key => volatile.has(key)), why)
    if (want !== undefined) t.match(ours, { name: want }, why)
    if (why === 'received') t.match(ours, { Messages: { length: 10 } }, 'all of them')
  }
})
