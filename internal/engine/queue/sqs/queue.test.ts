import t, { type Test } from 'tap'
import { createManualClock } from '../../../lab/testing/manual-clock.js'
import { createStubSqs, type SentCommand } from '../../../lab/testing/stub-sqs.js'
import { until } from '../../../lab/testing/until.js'
import type { QueueError, ReceiveOptions } from '../queue.js'
import { createSqsQueue } from './queue.js'

const RECEIVE = 'ReceiveMessageCommand'
const DELETE = 'DeleteMessageBatchCommand'
const VISIBILITY = 'ChangeMessageVisibilityBatchCommand'

const refused = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
const never = () => new Promise(() => undefined)
const untilAborted = ({ signal }: SentCommand) =>
  new Promise((_, reject) =>
    signal.addEventListener('abort', () =>
      reject(Object.assign(new Error('aborted'), { name: 'AbortError' }))
    )
  )
const message = (id: string) => ({
  MessageId: id,
  ReceiptHandle: `handle of ${id}`,
  Body: 'body',
  Attributes: { ApproximateReceiveCount: '1', SentTimestamp: '1700000000000' }
})
const full = (prefix: string) => ({
  Messages: Array.from({ length: 10 }, (_, index) => message(`${prefix}${index}`))
})
const allSucceed = ({ input }: SentCommand) => ({
  Successful: (input['Entries'] as { Id: string }[]).map(({ Id }) => ({ Id })),
  Failed: []
})

/** A queue over a stub, with a clock that the test moves and the lowest jitter. */
function setup(t: Test, answer: (command: SentCommand, before: number) => unknown, pollers = 1) {
  const clock = createManualClock()
  const stub = createStubSqs(answer)
  const queueUrl = 'http://queue.invalid/1/q'
  const queue = createSqsQueue({
    sqs: stub.sqs,
    queueUrl,
    pollers,
    visibilityTimeoutS: 30,
    waitTimeS: 20,
    clock,
    random: () => 0
  })
  t.teardown(async () => {
    const closing = queue.close()
    await clock.advanceAsync(250)
    await closing
  })
  const delivered: string[] = []
  const errors: QueueError[] = []
  let receives = 0
  const receive = (over: Partial<ReceiveOptions> = {}) =>
    queue.receive({
      deliver: messages => delivered.push(...messages.map(({ id }) => id)),
      admit: () => Promise.resolve(),
      onError: error => errors.push(error),
      onReceive: () => receives++,
      ...over
    })
  return { clock, stub, queue, delivered, errors, receive, receives: () => receives }
}

await t.test(
  'a receive asks for ten messages, their receive count and when they were sent',
  async t => {
    const { stub, receive } = setup(t, untilAborted)
    receive()
    await until('the receive', () => stub.sent.length === 1)
    t.match(stub.sent[0]?.input, {
      QueueUrl: 'http://queue.invalid/1/q',
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 20,
      VisibilityTimeout: 30,
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp']
    })
  }
)

await t.test(
  'a failing receive is reported and repeated; success resets the growing backoff',
  async t => {
    const outcomes = [refused(), refused(), refused(), { Messages: [] }, refused()]
    const { clock, stub, errors, receive, receives } = setup(t, (command, before) => {
      const outcome = outcomes[before]
      if (outcome instanceof Error) throw outcome
      return outcome ?? untilAborted(command)
    })
    receive()
    // With the lowest jitter the delays are half of 100, 200, 400; after a success half
    // of 100 again.
    for (const [calls, delayMs] of [
      [1, 50],
      [2, 100],
      [3, 200],
      [5, 50]
    ] as const) {
      await until(
        `receive ${calls}`,
        () => stub.of(RECEIVE).length === calls && clock.pending() === 1
      )
      await clock.advanceAsync(delayMs - 1)
      t.equal(stub.of(RECEIVE).length, calls, `no further receive within ${delayMs - 1} ms`)
      await clock.advanceAsync(1)
      await until('the next receive', () => stub.of(RECEIVE).length > calls)
    }
    t.strictSame(
      errors.map(error => error.code),
      Array(4).fill('ECONNREFUSED')
    )
    t.equal(receives(), 1)
  }
)

await t.test('missing rights pause a poller no longer than any other error', async t => {
  const { clock, stub, errors, receive } = setup(t, (command, before) => {
    if (before > 0) return untilAborted(command)
    throw Object.assign(new Error('no'), {
      name: 'AccessDenied',
      $metadata: { httpStatusCode: 403 }
    })
  })
  receive()
  await until('the backoff', () => errors.length === 1 && clock.pending() === 1)
  await clock.advanceAsync(50)
  await until('the next receive', () => stub.of(RECEIVE).length === 2)
  t.equal(errors[0]?.code, 'AccessDenied')
})

await t.test(
  'a hanging receive ends ten seconds after its wait, whatever the client does',
  async t => {
    const { clock, stub, errors, receive } = setup(t, never)
    receive()
    await until('the receive', () => stub.sent.length === 1)
    await clock.advanceAsync(29_999)
    t.strictSame(errors, [])
    await clock.advanceAsync(1)
    t.strictSame(
      errors.map(error => error.code),
      ['ETIMEDOUT']
    )
    t.ok(stub.sent[0]?.signal.aborted, 'the client got the signal')
  }
)

await t.test('a hanging settle call ends after ten seconds', async t => {
  const { clock, queue } = setup(t, never)
  const receipt = { id: 'a', token: 'h' }
  const started: Promise<unknown>[] = [
    queue.ack([receipt]),
    queue.leases.extend([receipt], 1),
    queue.inspect.depth()
  ]
  const calls = started.map(call => t.rejects(call, { code: 'ETIMEDOUT' }))
  await clock.advanceAsync(10_000)
  await Promise.all(calls)
})

await t.test('an idle queue is polled by one poller', async t => {
  const gates: (() => void)[] = []
  const { stub, receive } = setup(
    t,
    () => new Promise(resolve => gates.push(() => resolve({ Messages: [] }))),
    5
  )
  receive()
  for (let round = 1; round <= 3; round++) {
    await until(`receive ${round}`, () => gates.length === round)
    t.equal(stub.of(RECEIVE).length, round, 'never two at once')
    gates[round - 1]?.()
  }
})

await t.test('after a full receive all pollers poll, until each gets an empty one', async t => {
  const gates: ((answer: unknown) => void)[] = []
  const { delivered, receive } = setup(t, () => new Promise(resolve => gates.push(resolve)), 5)
  receive()
  await until('the scout', () => gates.length === 1)
  gates[0]?.(full('m'))
  await until('all five', () => gates.length === 6)
  t.equal(delivered.length, 10)
  for (const gate of gates.slice(1)) gate({ Messages: [] })
  await until('the scout again', () => gates.length === 7)
  gates[6]?.({ Messages: [] })
  await until('and again', () => gates.length === 8)
})

await t.test('many pollers wait for admission without a warning', async t => {
  const warnings: Error[] = []
  const onWarning = (warning: Error) => warnings.push(warning)
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  let asked = 0
  let isOpen = true
  const { receive } = setup(t, (_, before) => full(`${before}-`), 40)
  const receiver = receive({
    admit: () => (asked++, isOpen ? Promise.resolve() : new Promise(() => undefined))
  })
  await until('all have been admitted', () => asked > 40)
  isOpen = false
  const before = asked
  await until('all wait', () => asked >= before + 1)
  await receiver.stop()
  t.strictSame(warnings, [])
})

await t.test('a stop waits a moment for young receives and gives back what they bring', async t => {
  const gates: ((answer: unknown) => void)[] = []
  const answer = (command: SentCommand) =>
    command.name === VISIBILITY ? allSucceed(command) : new Promise(resolve => gates.push(resolve))
  const { stub, delivered, receive, receives, errors } = setup(t, answer, 2)
  let asked = 0
  // The first answer sets two pollers going: one is admitted and the other waits.
  const receiver = receive({
    admit: () => (++asked <= 2 ? Promise.resolve() : new Promise(() => undefined))
  })
  await until('a receive', () => gates.length === 1)
  gates[0]?.(full('first'))
  await until('the next receive', () => gates.length === 2 && asked === 3)
  const stopping = receiver.stop()
  await until(
    'all that is ready has run',
    async () => new Promise(resolve => setImmediate(() => resolve(true)))
  )
  gates[1]?.(full('late'))
  await stopping
  t.equal(delivered.length, 10, 'nothing after the stop is delivered')
  t.equal(receives(), 1)
  t.strictSame(errors, [])
  t.match(stub.of(VISIBILITY)[0]?.input, {
    Entries: [{ Id: '0', ReceiptHandle: 'handle of late0', VisibilityTimeout: 0 }]
  })
  t.equal(stub.of(RECEIVE).length, 2, 'and the poller that waited does not receive')
})

await t.test('the moment ends a quarter of a second after the receive began', async t => {
  const { clock, stub, errors, receive } = setup(t, untilAborted)
  const receiver = receive()
  await until('the receive', () => stub.sent.length === 1)
  clock.advance(100)
  const stopping = receiver.stop()
  await clock.advanceAsync(149)
  t.notOk(stub.sent[0]?.signal.aborted)
  await clock.advanceAsync(1)
  t.ok(stub.sent[0]?.signal.aborted)
  await stopping
  t.strictSame(errors, [], 'our own cut-off is not an error')
  t.equal(clock.pending(), 0)
})

await t.test('an older receive is cut off at once, and a late answer is given back', async t => {
  let answer: (value: unknown) => void = () => undefined
  const { clock, stub, delivered, receive } = setup(t, command => {
    if (command.name === VISIBILITY) return allSucceed(command)
    return new Promise(resolve => {
      answer = resolve
    })
  })
  const receiver = receive()
  await until('a receive', () => stub.sent.length === 1)
  clock.advance(250)
  await receiver.stop()
  answer(full('late'))
  await until('the messages are given back', () => stub.of(VISIBILITY).length === 1)
  t.match(stub.of(VISIBILITY)[0]?.input, {
    Entries: [{ ReceiptHandle: 'handle of late0', VisibilityTimeout: 0 }]
  })
  t.strictSame(delivered, [])
})

await t.test(
  'a stop ends parking, backoff and admission, and no poller receives afterwards',
  async t => {
    const { clock, stub, receive, errors } = setup(
      t,
      () => {
        throw refused()
      },
      3
    )
    const backingOff = receive()
    const withheld = receive({ admit: () => new Promise(() => undefined) })
    await until('the failure', () => errors.length === 1 && clock.pending() === 1)
    await Promise.all([backingOff.stop(), withheld.stop()])
    t.equal(clock.pending(), 0, 'no timer is left behind')
    t.equal(stub.sent.length, 1)
  }
)

await t.test(
  'a message needs no body, count or time; without a handle its receive fails',
  async t => {
    const answers = [
      { Messages: [{ MessageId: 'bare', ReceiptHandle: 'h' }] },
      { Messages: [{ MessageId: 'x' }] }
    ]
    const { clock, errors, receive } = setup(
      t,
      (command, before) => answers[before] ?? untilAborted(command)
    )
    const bodies: unknown[] = []
    receive({ deliver: messages => bodies.push(...messages) })
    await until('the failure', () => errors.length === 1)
    t.strictSame(bodies, [
      {
        id: 'bare',
        token: 'h',
        body: '',
        bytes: 0,
        receiveCount: 1,
        sentAtMs: clock.epochMs()
      }
    ])
    t.equal(errors[0]?.code, 'InvalidResponse')
  }
)

await t.test('a `deliver` that throws is reported, and the next receive waits', async t => {
  const { clock, stub, errors, receive } = setup(t, (_, before) => full(`${before}-`))
  receive({
    deliver: () => {
      throw new Error('no room')
    }
  })
  await until('the failure', () => errors.length === 1 && clock.pending() === 1)
  t.equal(errors[0]?.message, 'no room')
  t.equal(stub.of(RECEIVE).length, 1)
})

await t.test('visibility is requested in whole seconds, at most twelve hours', async t => {
  const { stub, queue } = setup(t, allSucceed)
  for (const seconds of [0, 0.5, 43_200, 43_201])
    t.strictSame(await queue.leases.extend([{ id: 'a', token: 'h' }], seconds), [])
  const asked = stub
    .of(VISIBILITY)
    .map(({ input }) => (input['Entries'] as { VisibilityTimeout: number }[])[0]?.VisibilityTimeout)
  t.strictSame(asked, [0, 1, 43_200, 43_200])
})

await t.test('failed entries have their code, and whether to try again', async t => {
  const receipts = ['a', 'b', 'c', 'd'].map(id => ({ id, token: `handle of ${id}` }))
  const answer = {
    Successful: [{ Id: '0' }],
    Failed: [
      { Id: '1', Code: 'InternalError', SenderFault: false },
      { Id: '3', Code: 'ReceiptHandleIsInvalid', SenderFault: true }
    ]
  }
  const { stub, queue } = setup(t, () => answer)
  const want = [
    { id: 'b', code: 'InternalError', retryable: true },
    { id: 'c', code: 'MissingFromResponse', retryable: true },
    { id: 'd', code: 'ReceiptHandleIsInvalid', retryable: false }
  ]
  t.strictSame(await queue.ack(receipts), want)
  t.strictSame(await queue.leases.extend(receipts, 50_000), want)
  t.match(stub.of(DELETE)[0]?.input, { Entries: [{ Id: '0', ReceiptHandle: 'handle of a' }] })
  t.match(stub.of(VISIBILITY)[0]?.input, {
    Entries: [{ Id: '0', ReceiptHandle: 'handle of a', VisibilityTimeout: 43_200 }]
  })
})

await t.test('a list is settled in calls of ten, and each failure keeps its id', async t => {
  const receipts = Array.from({ length: 25 }, (_, n) => ({ id: `m${n}`, token: `h${n}` }))
  const { stub, queue } = setup(t, command => {
    const entries = command.input['Entries'] as { Id: string; ReceiptHandle: string }[]
    const isBad = ({ ReceiptHandle }: { ReceiptHandle: string }) => ReceiptHandle === 'h12'
    return {
      Successful: entries.filter(entry => !isBad(entry)).map(({ Id }) => ({ Id })),
      Failed: entries
        .filter(isBad)
        .map(({ Id }) => ({ Id, Code: 'InternalError', SenderFault: false }))
    }
  })
  const failures = [{ id: 'm12', code: 'InternalError', retryable: true }]
  const sizes = (name: string) =>
    stub.of(name).map(({ input }) => (input['Entries'] as unknown[]).length)
  t.strictSame(await queue.ack(receipts), failures)
  t.strictSame(sizes(DELETE), [10, 10, 5])
  t.strictSame(await queue.nack(receipts), failures)
  t.strictSame(await queue.leases.extend(receipts, 60), failures)
  t.strictSame(sizes(VISIBILITY), [10, 10, 5, 10, 10, 5])
  t.match(stub.of(VISIBILITY)[0]?.input, { Entries: [{ Id: '0', VisibilityTimeout: 0 }] })
})

await t.test('after a failed call the rest of a list is not settled', async t => {
  const receipts = Array.from({ length: 25 }, (_, n) => ({ id: `m${n}`, token: `h${n}` }))
  const { stub, queue } = setup(t, (command, before) => {
    if (before === 1) throw refused()
    return allSucceed(command)
  })
  t.strictSame(
    await queue.ack(receipts),
    receipts.slice(10).map(({ id }) => ({ id, code: 'ECONNREFUSED', retryable: true }))
  )
  t.equal(stub.of(DELETE).length, 2)
})

await t.test('a call that fails as a whole rejects with its code', async t => {
  const { queue } = setup(t, () => {
    throw refused()
  })
  const receipt = { id: 'a', token: 'h' }
  await t.rejects(queue.ack([receipt]), { name: 'QueueError', code: 'ECONNREFUSED' })
  await t.rejects(queue.ack(Array(25).fill(receipt)), { code: 'ECONNREFUSED' })
  await t.rejects(queue.nack([receipt]), { name: 'QueueError', code: 'ECONNREFUSED' })
  await t.rejects(queue.leases.extend([receipt], 1), { name: 'QueueError', code: 'ECONNREFUSED' })
  await t.rejects(queue.inspect.depth(), { name: 'QueueError', code: 'ECONNREFUSED' })
})
