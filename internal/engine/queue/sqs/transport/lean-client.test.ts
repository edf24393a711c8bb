import { hash } from 'node:crypto'
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClientConfig
} from '@aws-sdk/client-sqs'
import t, { type Test } from 'tap'
import { createManualClock } from '../../../../lab/testing/manual-clock.js'
import {
  answerJson,
  answerTorn,
  type StubAnswer,
  type StubRequest,
  startStubHttp
} from '../../../../lab/testing/stub-http.js'
import { until } from '../../../../lab/testing/until.js'
import { createLeanClient, type LeanClientOptions } from './lean-client.js'
import { createRequestSigner, sha256 } from './sign.js'

const QUEUE_URL = 'http://queue.example/000000000000/queue'
/** Cancels out the margin of an answer, so that a test need not wait for it. */
const NO_WAIT_S = -4.999
const SECRET = { accessKeyId: 'AKID', secretAccessKey: 'secret' }

async function setup(
  t: Test,
  answer: StubAnswer,
  config: SQSClientConfig = {},
  over: Partial<LeanClientOptions> = {}
) {
  const stub = await startStubHttp(t, answer)
  const client = createLeanClient({
    config: {
      region: 'eu-west-1',
      endpoint: stub.origin,
      useQueueUrlAsEndpoint: false,
      credentials: SECRET,
      maxAttempts: 3,
      ...config
    },
    maxSockets: 4,
    connectTimeoutMs: 3_000,
    ...over
  })
  t.teardown(() => client.destroy())
  const receive = (signal?: AbortSignal, waitTimeS = 0) =>
    client.send(
      new ReceiveMessageCommand({ QueueUrl: QUEUE_URL, WaitTimeSeconds: waitTimeS }),
      signal === undefined ? {} : { abortSignal: signal }
    )
  return { stub, client, receive }
}

const message = (body = 'body') => ({
  MessageId: 'm',
  ReceiptHandle: 'h',
  MD5OfBody: hash('md5', body),
  Body: body
})
const full = { Messages: [message()] }
const ok: StubAnswer = reply => answerJson(reply, 200, full, { 'x-amzn-requestid': 'request' })
const okAfter =
  (first: StubAnswer): StubAnswer =>
  (reply, request, before) =>
    (before === 0 ? first : ok)(reply, request, before)
const failure = (
  status: number,
  type: string,
  headers: Record<string, string> = {}
): StubAnswer => {
  const body = { __type: `com.amazonaws.sqs#${type}`, message: 'because' }
  return reply =>
    answerJson(reply, status, body, { 'x-amzn-query-error': `${type};Sender`, ...headers })
}
/** Only the SDK names itself. */
const isBySdk = ({ headers }: StubRequest): boolean =>
  headers['user-agent']?.startsWith('aws-sdk-js') === true
const byWhom = (requests: readonly StubRequest[]) =>
  requests.map(request => (isBySdk(request) ? 'sdk' : 'lean'))

await t.test('the frequent calls bypass the SDK, signed as the server gets them', async t => {
  const { stub, client } = await setup(t, reply => answerJson(reply, 200, {}), {
    credentials: { ...SECRET, sessionToken: 'token' }
  })
  const entry = { Id: '0', ReceiptHandle: 'h"\\' }
  const rows = [
    {
      target: 'ReceiveMessage',
      command: new ReceiveMessageCommand({ QueueUrl: QUEUE_URL, MaxNumberOfMessages: 10 })
    },
    {
      target: 'DeleteMessageBatch',
      command: new DeleteMessageBatchCommand({ QueueUrl: QUEUE_URL, Entries: [entry] })
    },
    {
      target: 'ChangeMessageVisibilityBatch',
      command: new ChangeMessageVisibilityBatchCommand({
        QueueUrl: QUEUE_URL,
        Entries: [{ ...entry, VisibilityTimeout: 5 }]
      })
    },
    {
      target: 'SendMessageBatch',
      command: new SendMessageBatchCommand({
        QueueUrl: QUEUE_URL,
        Entries: [{ Id: '0', MessageBody: 'ä \u2028 "水"' }]
      })
    }
  ]
  for (const [index, { target, command }] of rows.entries()) {
    await (client.send as (command: unknown) => Promise<unknown>)(command)
    const { headers, body } = stub.requests[index]!
    t.notOk(isBySdk(stub.requests[index]!), target)
    t.equal(headers['x-amz-target'], `AmazonSQS.${target}`)
    t.strictSame(JSON.parse(body), command.input)
    t.equal(headers.host, stub.host)
    const names = [
      'content-type',
      'host',
      'x-amz-date',
      'x-amz-security-token',
      'x-amz-target',
      'x-amzn-query-mode'
    ]
    const signed = names.map((name): [string, string] => [name, String(headers[name])])
    const request = {
      method: 'POST',
      path: '/',
      query: '',
      headers: signed,
      bodyHash: sha256(body)
    }
    const want = createRequestSigner(SECRET, {
      region: 'eu-west-1',
      service: 'sqs'
    }).authorization(request, String(headers['x-amz-date']))
    t.equal(headers.authorization, want)
    t.equal(headers['x-amz-security-token'], 'token')
  }
})

await t.test('a request is signed anew in the next second, and when its body changes', async t => {
  const clock = createManualClock(1_700_000_000_900)
  const { stub, client, receive } = await setup(t, ok, {}, { clock })
  await receive()
  clock.advance(99)
  await receive()
  clock.advance(1)
  await receive()
  await client.send(new ReceiveMessageCommand({ QueueUrl: QUEUE_URL, WaitTimeSeconds: 1 }))
  t.strictSame(
    stub.requests.map(({ headers }) => headers['x-amz-date']),
    ['20231114T221320Z', '20231114T221320Z', '20231114T221321Z', '20231114T221321Z']
  )
  const signatures = stub.requests.map(({ headers }) => headers.authorization)
  t.equal(signatures[0], signatures[1])
  t.equal(new Set(signatures).size, 3)
})

await t.test('an answer is the output, with its metadata', async t => {
  const { receive } = await setup(t, ok)
  t.strictSame(await receive(), {
    ...full,
    $metadata: { httpStatusCode: 200, requestId: 'request', attempts: 1, totalRetryDelay: 0 }
  })
})

await t.test('other commands, options and inputs are left to the SDK', async t => {
  const md5 = { MD5OfMessageBody: hash('md5', 'b') }
  const { stub, client } = await setup(t, (reply, { headers }) =>
    answerJson(
      reply,
      200,
      String(headers['x-amz-target']).endsWith('SendMessageBatch')
        ? { Successful: [{ Id: '0', ...md5 }] }
        : {}
    )
  )
  const receive = new ReceiveMessageCommand({ QueueUrl: QUEUE_URL })
  await client.send(new GetQueueAttributesCommand({ QueueUrl: QUEUE_URL }))
  await client.send(receive, { requestTimeout: 5_000 })
  await new Promise<void>((resolve, reject) =>
    client.send(receive, error => (error instanceof Error ? reject(error) : resolve()))
  )
  await new Promise<void>((resolve, reject) =>
    client.send(receive, {}, error => (error instanceof Error ? reject(error) : resolve()))
  )
  const attribute = { name: { DataType: 'Binary', BinaryValue: new Uint8Array([1]) } }
  const entry = { Id: '0', MessageBody: 'b', MessageAttributes: attribute }
  await client.send(new SendMessageBatchCommand({ QueueUrl: QUEUE_URL, Entries: [entry] }))
  await client.send(new ReceiveMessageCommand({ QueueUrl: undefined }))
  t.strictSame(byWhom(stub.requests), ['sdk', 'sdk', 'sdk', 'sdk', 'sdk', 'sdk'])
})

await t.test('the SDK repeats a transient failure, as its second attempt', async t => {
  const rows: { why: string; first: StubAnswer }[] = [
    { why: 'unavailable', first: reply => answerJson(reply, 503, '') },
    { why: 'broken', first: reply => answerJson(reply, 500, { __type: 'InternalError' }) },
    { why: 'too fast', first: failure(400, 'RequestThrottled') },
    { why: 'torn in the middle', first: answerTorn },
    { why: 'closed', first: (_, { socket }) => socket.destroy() }
  ]
  for (const { why, first } of rows) {
    const { stub, receive } = await setup(t, okAfter(first))
    const answer = await receive()
    t.match(answer, { ...full, $metadata: { attempts: 2 } }, why)
    t.strictSame(byWhom(stub.requests), ['lean', 'sdk'], why)
    t.match(stub.requests[1]?.headers, { 'amz-sdk-request': 'attempt=2; max=3' })
  }
})

await t.test(
  'a silent server is given up after the wait and a margin, and tried again',
  async t => {
    const { stub, receive } = await setup(
      t,
      okAfter(() => undefined)
    )
    t.match(await receive(undefined, NO_WAIT_S), full)
    t.strictSame(byWhom(stub.requests), ['lean', 'sdk'])
  }
)

await t.test('after the client’s last attempt the failure is reported', async t => {
  const { stub, receive } = await setup(t, failure(503, 'ServiceUnavailable'), { maxAttempts: 2 })
  await t.rejects(receive(), {
    name: 'ServiceUnavailable',
    $fault: 'server',
    $metadata: { httpStatusCode: 503, attempts: 2 }
  })
  t.equal(stub.requests.length, 2)
})

await t.test('a fault of the client is reported at once, under the SDK’s name for it', async t => {
  const { stub, receive } = await setup(
    t,
    failure(400, 'QueueDoesNotExist', {
      'x-amzn-requestid': 'r',
      'x-amzn-query-error': 'AWS.SimpleQueueService.NonExistentQueue;Sender'
    })
  )
  await t.rejects(receive(), {
    name: 'QueueDoesNotExist',
    message: 'because',
    $fault: 'client',
    $metadata: { httpStatusCode: 400, requestId: 'r', attempts: 1 }
  })
  t.equal(stub.requests.length, 1)
})

await t.test('a body that differs from what was sent is refused', async t => {
  const wrong = { ...message(), MD5OfBody: hash('md5', 'another') }
  const received = await setup(t, reply => answerJson(reply, 200, { Messages: [message(), wrong] }))
  await t.rejects(received.receive(), { message: 'Invalid MD5 checksum on messages: m' })
  t.equal(received.stub.requests.length, 1)

  const answer = {
    Successful: [{ Id: '0', MessageId: 'm', MD5OfMessageBody: hash('md5', 'another') }]
  }
  const sent = await setup(t, reply => answerJson(reply, 200, answer))
  const send = new SendMessageBatchCommand({
    QueueUrl: QUEUE_URL,
    Entries: [{ Id: '0', MessageBody: 'body' }]
  })
  await t.rejects(sent.client.send(send), { message: 'Invalid MD5 checksum on messages: m' })

  const unchecked = await setup(t, reply => answerJson(reply, 200, { Messages: [wrong] }), {
    md5: false
  })
  const $metadata = { httpStatusCode: 200, requestId: undefined, attempts: 1, totalRetryDelay: 0 }
  t.strictSame(
    await unchecked.receive(),
    { Messages: [wrong], $metadata },
    'unless checking is off, without asking the SDK'
  )
})

await t.test('a wrong clock is corrected by the server’s, for later calls too', async t => {
  const aheadMs = 600_000
  const { stub, receive } = await setup(t, (reply, request, before) => {
    const signedAtMs = Date.parse(
      String(request.headers['x-amz-date']).replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5')
    )
    const nowMs = Date.now() + aheadMs
    reply.setHeader('date', new Date(nowMs).toUTCString())
    const answer = Math.abs(nowMs - signedAtMs) < 60_000 ? ok : failure(403, 'RequestTimeTooSkewed')
    answer(reply, request, before)
  })
  t.match(await receive(), full)
  t.match(await receive(), full)
  t.strictSame(byWhom(stub.requests), ['lean', 'sdk', 'lean'])
})

await t.test('credentials are fetched once, and again after a refusal', async t => {
  const asked: unknown[] = []
  const lifeMs = 3_600_000
  const credentials = (options?: { forceRefresh?: boolean }) => {
    asked.push(options?.forceRefresh === true ? 'by force' : 'when due')
    const accessKeyId = `AKID${asked.length}`
    return Promise.resolve({
      accessKeyId,
      secretAccessKey: 'secret',
      expiration: new Date(Date.now() + lifeMs)
    })
  }
  let refuse = false
  const { stub, receive } = await setup(
    t,
    (reply, request, before) =>
      (refuse ? failure(403, 'ExpiredToken') : ok)(reply, request, before),
    { credentials }
  )
  const keyOf = (index: number) =>
    /Credential=([^/]+)/.exec(String(stub.requests[index]?.headers.authorization))?.[1]
  await receive()
  await receive()
  t.strictSame([keyOf(0), keyOf(1), asked], ['AKID1', 'AKID1', ['when due']])

  refuse = true
  await t.rejects(receive(), { name: 'ExpiredToken' })
  refuse = false
  await receive()
  t.strictSame([keyOf(2), keyOf(3), asked], ['AKID1', 'AKID2', ['when due', 'by force']])
})

await t.test('a signal ends a call at once, as the SDK’s AbortError', async t => {
  const { stub, receive } = await setup(t, () => undefined)
  const why = new RangeError('why')
  const aborted = { name: 'AbortError', message: 'Request aborted', cause: why }
  const controller = new AbortController()
  const cut = receive(controller.signal)
  await until('the request', () => stub.requests.length === 1)
  controller.abort(why)
  await t.rejects(cut, aborted)
  await t.rejects(receive(AbortSignal.abort(why)), aborted)
  t.equal(stub.requests.length, 1, 'and nothing is tried again')
})

await t.test('a destroyed client ends its calls', async t => {
  const { stub, client, receive } = await setup(t, () => undefined, { maxAttempts: 1 })
  const cut = receive()
  await until('the request', () => stub.requests.length === 1)
  client.destroy()
  await t.rejects(cut, { code: 'UND_ERR_DESTROYED' })
})
