import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { until } from '../../lab/testing/until.js'
import { type EmbeddedSqs, startEmbeddedSqs } from './sqs.js'

interface Reply {
  readonly QueueUrl: string
  readonly Messages?: readonly {
    readonly Body: string
    readonly ReceiptHandle: string
    readonly Attributes: Record<string, string>
  }[]
}

/** One call as any SQS client makes it, signed for `region`. */
async function call(
  { endpoint }: Pick<EmbeddedSqs, 'endpoint'>,
  action: string,
  body: object,
  region = 'us-east-1'
): Promise<Reply> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${action}`,
      authorization: `AWS4-HMAC-SHA256 Credential=local/20260101/${region}/sqs/aws4_request, SignedHeaders=host, Signature=0`
    },
    body: JSON.stringify(body)
  })
  if (!response.ok) throw new Error(`${action}: ${response.status} ${await response.text()}`)
  return (await response.json()) as Reply
}

const receive = (server: EmbeddedSqs, QueueUrl: string) =>
  call(server, 'ReceiveMessage', {
    QueueUrl,
    VisibilityTimeout: 600,
    MessageSystemAttributeNames: ['ApproximateReceiveCount']
  })

await t.test(
  'a queue URL needs no name resolution, and every region means the same queue',
  async t => {
    const server = await startEmbeddedSqs({ port: 0 })
    t.teardown(() => server.stop())
    t.equal(server.endpoint, `http://127.0.0.1:${server.port}`)
    const { QueueUrl } = await call(server, 'CreateQueue', { QueueName: 'events' })
    t.equal(QueueUrl, `${server.endpoint}/000000000000/events`)
    t.same(await call(server, 'GetQueueUrl', { QueueName: 'events' }, 'eu-west-1'), { QueueUrl })
    await call(server, 'SendMessage', {
      QueueUrl: `http://localhost:${server.port}/000000000000/events`,
      MessageBody: 'by another name'
    })
    await call(server, 'SendMessage', {
      QueueUrl: `http://sqs.eu-west-1.localhost:${server.port}/000000000000/events`,
      MessageBody: 'by a third'
    })
    t.equal((await receive(server, QueueUrl)).Messages?.[0]?.Body, 'by another name')
    t.equal((await receive(server, QueueUrl)).Messages?.[0]?.Body, 'by a third')
  }
)

await t.test(
  'undeleted messages in a data directory are there at the next start, on any port',
  async t => {
    const dataDir = t.testdir()
    const first = await startEmbeddedSqs({ port: 0, dataDir })
    t.teardown(() => first.stop())
    const { QueueUrl } = await call(first, 'CreateQueue', {
      QueueName: 'events',
      Attributes: { MessageRetentionPeriod: '86400' }
    })
    await call(first, 'SendMessage', { QueueUrl, MessageBody: 'deleted' })
    const [message] = (await receive(first, QueueUrl)).Messages ?? []
    await call(first, 'DeleteMessage', { QueueUrl, ReceiptHandle: message?.ReceiptHandle })
    await call(first, 'SendMessage', { QueueUrl, MessageBody: 'kept' })
    await Promise.all([first.stop(), first.stop()])
    await t.rejects(call(first, 'GetQueueUrl', { QueueName: 'events' }), 'a stop ends it')

    const second = await startEmbeddedSqs({ port: 0, dataDir })
    t.teardown(() => second.stop())
    const { QueueUrl: again } = await call(second, 'GetQueueUrl', { QueueName: 'events' })
    t.equal(again, `${second.endpoint}/000000000000/events`)
    t.equal((await receive(second, again)).Messages?.[0]?.Body, 'kept')
    t.same((await receive(second, again)).Messages, undefined, 'and nothing else')
  }
)

await t.test('a message whose send was answered survives a kill -9', async t => {
  const dataDir = t.testdir()
  const first = await startEmbeddedSqs({ port: 0, dataDir })
  t.teardown(() => first.stop())
  const { QueueUrl } = await call(first, 'CreateQueue', { QueueName: 'events' })
  const Entries = ['a', 'b', 'c'].map(Id => ({ Id, MessageBody: Id }))
  await call(first, 'SendMessageBatch', { QueueUrl, Entries })
  process.kill(first.pid, 'SIGKILL')

  const second = await startEmbeddedSqs({ port: 0, dataDir })
  t.teardown(() => second.stop())
  const { Messages } = await call(second, 'ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10 })
  t.same(
    Messages?.map(({ Body }) => Body),
    ['a', 'b', 'c']
  )
})

await t.test(
  'a message given back comes again with its receive count, also after a restart',
  async t => {
    const dataDir = t.testdir()
    const first = await startEmbeddedSqs({ port: 0, dataDir })
    t.teardown(() => first.stop())
    const { QueueUrl } = await call(first, 'CreateQueue', { QueueName: 'events' })
    await call(first, 'SendMessage', { QueueUrl, MessageBody: 'given back' })
    const giveBack = async (server: EmbeddedSqs, count: string) => {
      const [message] = (await receive(server, QueueUrl)).Messages ?? []
      t.equal(message?.Attributes['ApproximateReceiveCount'], count)
      await call(server, 'ChangeMessageVisibility', {
        QueueUrl,
        ReceiptHandle: message?.ReceiptHandle,
        VisibilityTimeout: 0
      })
    }
    await giveBack(first, '1')
    await giveBack(first, '2')
    await first.stop()
    const second = await startEmbeddedSqs({ port: 0, dataDir })
    t.teardown(() => second.stop())
    await giveBack(second, '3')
  }
)

await t.test(
  'a large backlog comes in order, each message once; undeleted ones come back',
  async t => {
    const server = await startEmbeddedSqs({ port: 0 })
    t.teardown(() => server.stop())
    const { QueueUrl } = await call(server, 'CreateQueue', { QueueName: 'events' })
    const bodies = Array.from({ length: 11_000 }, (_, index) => String(index))
    for (let at = 0; at < bodies.length; at += 10) {
      const Entries = bodies.slice(at, at + 10).map(body => ({ Id: body, MessageBody: body }))
      await call(server, 'SendMessageBatch', { QueueUrl, Entries })
    }
    const take = async (VisibilityTimeout: number) =>
      (
        (
          await call(server, 'ReceiveMessage', {
            QueueUrl,
            MaxNumberOfMessages: 10,
            VisibilityTimeout
          })
        ).Messages ?? []
      ).map(({ Body }) => Body)
    const received = await take(1)
    while (received.length < bodies.length) received.push(...(await take(600)))
    t.same(received, bodies)
    const back: string[] = []
    await until('the first ten again', async () => back.push(...(await take(600))) === 10)
    t.same(back.toSorted(), bodies.slice(0, 10))
  }
)

await t.test(
  'groups take turns, each in its own order, after a restart too; those without a group are one',
  async t => {
    const dataDir = t.testdir()
    const first = await startEmbeddedSqs({ port: 0, dataDir })
    t.teardown(() => first.stop())
    const { QueueUrl } = await call(first, 'CreateQueue', { QueueName: 'events' })
    const send = async (bodies: readonly string[], group: { readonly MessageGroupId?: string }) => {
      const Entries = bodies.map(body => ({ Id: body, MessageBody: body, ...group }))
      await call(first, 'SendMessageBatch', { QueueUrl, Entries })
    }
    for (let at = 0; at < 30; at += 10)
      await send(
        Array.from({ length: 10 }, (_, index) => `noisy-${at + index}`),
        { MessageGroupId: 'noisy' }
      )
    await send(['none-0', 'none-1', 'none-2'], {})
    await send(['quiet-0', 'quiet-1'], { MessageGroupId: 'quiet' })
    await call(first, 'SendMessage', { QueueUrl, MessageBody: 'other-0', MessageGroupId: 'other' })
    const take = async (server: EmbeddedSqs, url: string, count: number) => {
      const { Messages } = await call(server, 'ReceiveMessage', {
        QueueUrl: url,
        MaxNumberOfMessages: count,
        VisibilityTimeout: 600
      })
      return (Messages ?? []).map(({ Body }) => Body)
    }
    t.same(await take(first, QueueUrl, 6), [
      'noisy-0',
      'none-0',
      'quiet-0',
      'other-0',
      'noisy-1',
      'none-1'
    ])
    await first.stop()

    const second = await startEmbeddedSqs({ port: 0, dataDir })
    t.teardown(() => second.stop())
    const { QueueUrl: again } = await call(second, 'GetQueueUrl', { QueueName: 'events' })
    const rest = [
      ...(await take(second, again, 10)),
      ...(await take(second, again, 10)),
      ...(await take(second, again, 10))
    ]
    t.same(rest.slice(0, 3).toSorted(), ['noisy-2', 'none-2', 'quiet-1'], 'one of each')
    const noisy = Array.from({ length: 28 }, (_, index) => `noisy-${index + 2}`)
    t.same(
      rest.filter(body => body.startsWith('noisy')),
      noisy
    )
  }
)

await t.test('a taken port is refused with the name of the setting that changes it', async t => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as { port: number }
  await t.rejects(startEmbeddedSqs({ port, portSetting: 'EMBEDDED_SQS_PORT' }), {
    code: 'port-taken',
    message: `Port ${port} is already in use: set EMBEDDED_SQS_PORT to a free one, or to 0 for any.`
  })
})

await t.test('a queue that ends by itself is reported in one line', async t => {
  const log: string[] = []
  const server = await startEmbeddedSqs({ port: 0, log: line => log.push(line) })
  t.teardown(() => server.stop())
  process.kill(server.pid, 'SIGKILL')
  await until('the report', () => log.length > 0)
  t.same(log, ['The embedded queue ended by itself (SIGKILL): no reason given'])
})

await t.test('the queue ends with the program that started it, even if that is killed', async t => {
  const module = new URL('./sqs.js', import.meta.url).href
  const script = `
    import { startEmbeddedSqs } from ${JSON.stringify(module)}
    console.log((await startEmbeddedSqs({ port: 0 })).endpoint)
    setInterval(() => undefined, 1_000_000)`
  const starter = spawn(
    process.execPath,
    [...process.execArgv, '--input-type=module', '-e', script],
    {
      stdio: ['ignore', 'pipe', 'inherit']
    }
  )
  const [output] = (await once(starter.stdout, 'data')) as [Buffer]
  const endpoint = output.toString().trim()
  t.ok((await fetch(`${endpoint}/health`)).ok)
  starter.kill('SIGKILL')
  await until('the end of the queue', () =>
    fetch(`${endpoint}/health`).then(
      () => false,
      () => true
    )
  )
})
