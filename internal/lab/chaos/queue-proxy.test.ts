import t, { type Test } from 'tap'
import { answerJson, startStubHttp } from '../testing/stub-http.js'
import { until } from '../testing/until.js'
import { type SeenMessage, startQueueProxy } from './queue-proxy.js'
import { judgeCall, pickFailing, withFailures } from './queue-trouble.js'

interface Answer {
  readonly status: number
  readonly body: unknown
}

/** A queue behind the proxy that has one message and confirms every delete. */
async function setup(t: Test, random = () => 0) {
  const message: SeenMessage = {
    MessageId: 'm1',
    ReceiptHandle: 'h1',
    Body: '{}',
    Attributes: { ApproximateReceiveCount: '2' }
  }
  const queue = await startStubHttp(t, (reply, { body, headers }) => {
    const input = JSON.parse(body) as { Entries?: { Id: string }[] }
    if (headers['x-amz-target'] === 'AmazonSQS.ReceiveMessage')
      answerJson(reply, 200, { Messages: [message] })
    else
      answerJson(reply, 200, {
        Successful: (input.Entries ?? []).map(({ Id }) => ({ Id })),
        Failed: []
      })
  })
  const received: SeenMessage[] = []
  const deleting: string[] = []
  let holdDeletes: Promise<void> = Promise.resolve()
  const proxy = await startQueueProxy({
    target: queue.origin,
    random,
    onReceived: messages => received.push(...messages),
    beforeDelete: async handles => {
      deleting.push(...handles)
      await holdDeletes
    }
  })
  t.teardown(() => proxy.close())
  const call = async (
    operation: string,
    input: object = {},
    signal: AbortSignal | null = null
  ): Promise<Answer> => {
    const headers = {
      'x-amz-target': `AmazonSQS.${operation}`,
      'content-type': 'application/x-amz-json-1.0'
    }
    const answer = await fetch(proxy.endpoint, {
      method: 'POST',
      headers,
      body: JSON.stringify(input),
      signal
    })
    return { status: answer.status, body: await answer.json() }
  }
  return {
    queue,
    proxy,
    call,
    received,
    deleting,
    message,
    hold: (until: Promise<void>) => (holdDeletes = until)
  }
}

const entries = (...ids: string[]) => ({
  Entries: ids.map(id => ({ Id: id, ReceiptHandle: `handle ${id}` }))
})

t.test('without trouble calls and answers pass unchanged, and receives are reported', async t => {
  const { call, received, message, queue, proxy } = await setup(t)
  t.same(await call('ReceiveMessage', { WaitTimeSeconds: 1 }), {
    status: 200,
    body: { Messages: [message] }
  })
  t.same(received, [message])
  t.equal(proxy.receivesAnswered, 1)
  t.same(await call('DeleteMessageBatch', entries('0')), {
    status: 200,
    body: { Successful: [{ Id: '0' }], Failed: [] }
  })
  t.same(
    queue.requests.map(({ body }) => JSON.parse(body) as unknown),
    [{ WaitTimeSeconds: 1 }, entries('0')]
  )
})

t.test('a delete is passed on only after it was checked', async t => {
  const { call, deleting, queue, hold } = await setup(t)
  let release = (): void => undefined
  hold(new Promise(resolve => (release = resolve)))
  const deleted = call('DeleteMessageBatch', entries('0', '1'))
  await until('it was checked', () => deleting.length === 2)
  t.same(deleting, ['handle 0', 'handle 1'])
  await call('ReceiveMessage')
  t.equal(queue.requests.length, 1, 'other calls pass meanwhile')
  release()
  t.equal((await deleted).status, 200)
  t.equal(queue.requests.length, 2)
})

t.test('errors are answered with their status and code, and never reach the queue', async t => {
  const { call, proxy, queue } = await setup(t)
  proxy.trouble = { kind: 'errors', status: 503, code: 'ServiceUnavailable' }
  t.match(await call('ReceiveMessage'), {
    status: 503,
    body: { __type: 'com.amazonaws.sqs#ServiceUnavailable' }
  })
  t.equal(queue.requests.length, 0)
  proxy.trouble = null
  t.equal((await call('ReceiveMessage')).status, 200)
})

t.test('a lost answer means that the call took effect and the connection broke', async t => {
  const { call, proxy, queue, received } = await setup(t)
  proxy.trouble = { kind: 'lost-answers', share: 1 }
  await t.rejects(call('DeleteMessageBatch', entries('0')))
  await t.rejects(call('ReceiveMessage'))
  t.equal(queue.requests.length, 2)
  t.same(received, [], 'the processor has not received it')
})

t.test('a hanging call never gets an answer and never reaches the queue', async t => {
  const { call, proxy, queue } = await setup(t)
  proxy.trouble = { kind: 'hang' }
  const cut = new AbortController()
  let outcome = 'none'
  const hanging = call('ReceiveMessage', {}, cut.signal).then(
    () => (outcome = 'answered'),
    () => (outcome = 'cut off')
  )
  await until('it has arrived', () => proxy.calls === 1)
  proxy.trouble = null
  await call('ReceiveMessage')
  t.equal(outcome, 'none')
  t.equal(queue.requests.length, 1, 'only the second call was passed on')
  cut.abort()
  await hanging
  t.equal(outcome, 'cut off')
})

t.test(
  'some entries of a delete fail inside an HTTP 200; half were deleted all the same',
  async t => {
    const draws = [0, 0.9, 0, 0.9, 0.1, 0.6]
    const { call, proxy, queue } = await setup(t, () => draws.shift() ?? 1)
    proxy.trouble = { kind: 'partial-deletes', share: 0.5 }
    const { status, body } = await call('DeleteMessageBatch', entries('0', '1', '2', '3'))
    t.equal(status, 200)
    t.match(body, {
      Successful: [{ Id: '1' }, { Id: '3' }],
      Failed: [{ Id: '0', SenderFault: false }, { Id: '2' }]
    })
    const [request] = queue.requests
    t.same(
      JSON.parse(request?.body ?? ''),
      entries('1', '2', '3'),
      'the first one was not deleted, the third one was'
    )
    proxy.trouble = { kind: 'partial-deletes', share: 1 }
    t.match(
      await call('ChangeMessageVisibilityBatch', entries('0')),
      { body: { Failed: [] } },
      'other batches are left alone'
    )
  }
)

t.test('each kind of trouble affects only its own operations', async t => {
  const always = () => 0
  const never = () => 1
  const rows = [
    { trouble: null, operation: 'ReceiveMessage', want: 'pass' },
    { trouble: { kind: 'hang' }, operation: 'ReceiveMessage', want: 'hang' },
    {
      trouble: { kind: 'partial-deletes', share: 1 },
      operation: 'DeleteMessageBatch',
      want: 'fail-entries'
    },
    { trouble: { kind: 'partial-deletes', share: 1 }, operation: 'ReceiveMessage', want: 'pass' },
    {
      trouble: { kind: 'no-heartbeat' },
      operation: 'ChangeMessageVisibilityBatch',
      want: { status: 500, code: 'InternalError' }
    },
    { trouble: { kind: 'no-heartbeat' }, operation: 'DeleteMessageBatch', want: 'pass' },
    {
      trouble: { kind: 'lost-answers', share: 0.5 },
      operation: 'ReceiveMessage',
      want: 'lose-answer'
    }
  ] as const
  for (const { trouble, operation, want } of rows)
    t.same(judgeCall(trouble, operation, always), want, `${trouble?.kind} ${operation}`)
  t.equal(judgeCall({ kind: 'lost-answers', share: 0.5 }, 'ReceiveMessage', never), 'pass')
})

t.test('an entry that the queue itself refused stays refused', async t => {
  const { failing, forwarded } = pickFailing(entries('0', '1').Entries, 0, () => 0.5)
  t.same([failing, forwarded], [[], entries('0', '1').Entries])
  t.same(withFailures({ Successful: [{ Id: '0' }], Failed: [{ Id: '1' }] }, failing), {
    Successful: [{ Id: '0' }],
    Failed: [{ Id: '1' }]
  })
})
