import { CreateQueueCommand, GetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import t, { type Test } from 'tap'
import { createManualClock } from '../../../lab/testing/manual-clock.js'
import { startTestSqs } from '../../../lab/testing/sqs.js'
import { createStubSqs, type SentCommand } from '../../../lab/testing/stub-sqs.js'
import { until } from '../../../lab/testing/until.js'
import { type OpenQueueOptions, openQueue } from './provision.js'

const wanted = (over: Partial<OpenQueueOptions> = {}): OpenQueueOptions => ({
  queueName: 'events',
  deadLetterQueueName: 'events-dead-letter',
  maxReceiveCount: 5,
  retentionS: 86_400,
  deadLetterRetentionS: 1_209_600,
  visibilityTimeoutS: 60,
  ...over
})

async function setup(t: Test) {
  const { sqs } = await startTestSqs(t)
  const attributesOf = async (queueUrl: string | null) => {
    const command = new GetQueueAttributesCommand({
      QueueUrl: queueUrl ?? '',
      AttributeNames: ['All']
    })
    return (await sqs.send(command)).Attributes ?? {}
  }
  const policyOf = async (queueUrl: string) =>
    JSON.parse((await attributesOf(queueUrl)).RedrivePolicy ?? 'null') as unknown
  const create = (name: string, attributes: Record<string, string>) =>
    sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }))
  return { sqs, attributesOf, policyOf, create }
}

await t.test(
  'both queues are created with a real dead-letter target, and opened the next time',
  async t => {
    const { sqs, attributesOf, policyOf } = await setup(t)
    const created = await openQueue(sqs, wanted())
    t.match(created, { created: true, notes: [] })
    const deadLetter = await attributesOf(created.deadLetterQueueUrl)
    t.equal(deadLetter.MessageRetentionPeriod, '1209600')
    t.strictSame(await policyOf(created.queueUrl), {
      deadLetterTargetArn: deadLetter.QueueArn,
      maxReceiveCount: '5'
    })
    t.match(await attributesOf(created.queueUrl), {
      MessageRetentionPeriod: '86400',
      VisibilityTimeout: '60',
      DelaySeconds: '0'
    })

    t.strictSame(await openQueue(sqs, wanted()), { ...created, created: false })
  }
)

await t.test(
  'an existing queue without a dead-letter target gets one, and keeps the rest',
  async t => {
    for (const [why, attributes] of [
      ['no policy at all', {}],
      ['a policy with nothing but a count', { RedrivePolicy: '{"maxReceiveCount":"5"}' }]
    ] as const) {
      const { sqs, attributesOf, policyOf, create } = await setup(t)
      await create('events', { ...attributes, VisibilityTimeout: '7' })
      const opened = await openQueue(sqs, wanted())
      t.match(opened, { created: false, notes: [/no dead-letter queue/] }, why)
      const { QueueArn: arn } = await attributesOf(opened.deadLetterQueueUrl)
      t.strictSame(await policyOf(opened.queueUrl), {
        deadLetterTargetArn: arn,
        maxReceiveCount: '5'
      })
      t.match(await attributesOf(opened.queueUrl), {
        VisibilityTimeout: '7',
        MessageRetentionPeriod: '345600'
      })
      t.strictSame((await openQueue(sqs, wanted())).notes, [], 'the next time there are no notes')
    }
  }
)

await t.test('a queue with another dead-letter queue or count keeps it, with a note', async t => {
  const { sqs, attributesOf, policyOf } = await setup(t)
  const first = await openQueue(sqs, wanted())
  const policy = await policyOf(first.queueUrl)
  const other = await openQueue(
    sqs,
    wanted({ deadLetterQueueName: 'elsewhere', maxReceiveCount: 9 })
  )
  t.match(other, { ...first, created: false, notes: [/not to elsewhere: left as it is/] })
  t.match(await openQueue(sqs, wanted({ maxReceiveCount: 9 })), {
    notes: [/after 5 receives, not 9/]
  })
  t.strictSame(await policyOf(first.queueUrl), policy)
  t.equal((await attributesOf(first.deadLetterQueueUrl)).MessageRetentionPeriod, '1209600')
})

await t.test('a dead-letter queue that keeps no longer than the queue gets a note', async t => {
  const { sqs, create } = await setup(t)
  await create('events-dead-letter', { MessageRetentionPeriod: '86400' })
  t.match(await openQueue(sqs, wanted()), { created: true, notes: [/keeps messages for 86400 s/] })
})

await t.test('several processes at once end up with the same two queues', async t => {
  const { sqs, policyOf } = await setup(t)
  const opened = await Promise.all(Array.from({ length: 8 }, () => openQueue(sqs, wanted())))
  t.equal(new Set(opened.map(({ queueUrl }) => queueUrl)).size, 1)
  t.equal(new Set(opened.map(({ deadLetterQueueUrl }) => deadLetterQueueUrl)).size, 1)
  t.match(await policyOf(opened[0]!.queueUrl), { deadLetterTargetArn: /:events-dead-letter$/ })
})

await t.test('an invalid queue name is refused before any call', async t => {
  const { sqs, sent } = createStubSqs(() => ({}))
  for (const queueName of [
    '',
    'a'.repeat(81),
    'sp ace',
    'dot.ted',
    'ä',
    'events.fifo',
    'events-dead-letter'
  ]) {
    await t.rejects(
      openQueue(sqs, wanted({ queueName })),
      { name: 'QueueError', code: 'InvalidQueueName' },
      queueName
    )
  }
  await t.rejects(openQueue(sqs, wanted({ queueName: 'events.fifo' })), { message: /FIFO/ })
  await t.rejects(openQueue(sqs, wanted({ deadLetterQueueName: 'no/slash' })), {
    code: 'InvalidQueueName'
  })
  t.strictSame(sent, [])
})

const missing = () => Object.assign(new Error('no such queue'), { name: 'QueueDoesNotExist' })
const denied = () => Object.assign(new Error('not authorized'), { name: 'AccessDenied' })

await t.test(
  'missing rights are a note for an existing queue, and an error for a new one',
  async t => {
    const exists = createStubSqs(({ name }) => {
      if (name === 'GetQueueUrlCommand') return { QueueUrl: 'http://queue.invalid/1/events' }
      throw denied()
    })
    t.match(await openQueue(exists.sqs, wanted()), {
      queueUrl: 'http://queue.invalid/1/events',
      deadLetterQueueUrl: null,
      created: false,
      notes: [/not authorized \(AccessDenied\)/]
    })
    const isMissing = createStubSqs(({ name }) => {
      throw name === 'GetQueueUrlCommand' ? missing() : denied()
    })
    await t.rejects(openQueue(isMissing.sqs, wanted()), {
      name: 'QueueError',
      code: 'AccessDenied'
    })
  }
)

/**
 * A server on which another process creates the queue, with other attributes, between our
 * lookup and our creation.
 */
const overtaken = ({ name, input }: SentCommand, before: number): unknown => {
  const url = `http://queue.invalid/1/${String(input['QueueName'])}`
  if (name === 'GetQueueUrlCommand') {
    if (before < 2) throw missing()
    return { QueueUrl: url }
  }
  if (name === 'CreateQueueCommand')
    throw Object.assign(new Error('exists'), { name: 'QueueNameExists' })
  const deadLetterTargetArn = 'arn:aws:sqs:eu-west-1:1:events-dead-letter'
  return {
    Attributes: {
      QueueArn: deadLetterTargetArn,
      MessageRetentionPeriod: '1209600',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 5 })
    }
  }
}

await t.test('a queue that another process has just created differently is opened', async t => {
  t.strictSame(await openQueue(createStubSqs(overtaken).sqs, wanted()), {
    queueUrl: 'http://queue.invalid/1/events',
    deadLetterQueueUrl: 'http://queue.invalid/1/events-dead-letter',
    created: false,
    notes: []
  })
})

await t.test('a queue too new to be known is looked up again, but not for ever', async t => {
  const clock = createManualClock()
  const stub = (unknownFor: number) =>
    createStubSqs(({ name, input }, before) => {
      if (name === 'GetQueueUrlCommand') throw missing()
      if (name === 'CreateQueueCommand')
        return { QueueUrl: `http://queue.invalid/1/${String(input['QueueName'])}` }
      if (before < unknownFor) throw missing()
      return {
        Attributes: {
          QueueArn: 'arn:aws:sqs:eu-west-1:1:events-dead-letter',
          MessageRetentionPeriod: '1209600'
        }
      }
    })
  const soon = openQueue(stub(4).sqs, wanted({ clock }))
  await clock.advanceAsync(2_000)
  t.match(await soon, { created: true })

  const tooLate = stub(5)
  const failing = t.rejects(openQueue(tooLate.sqs, wanted({ clock })), {
    code: 'QueueDoesNotExist'
  })
  await until('the first wait', () => clock.pending() > 0)
  await clock.advanceAsync(2_000)
  await failing
  t.equal(tooLate.of('GetQueueAttributesCommand').length, 5)
})
