import t from 'tap'
import { QueueError } from '../queue.js'
import {
  asQueueError,
  entryCode,
  isDenied,
  isExistingQueue,
  isMissingQueue,
  isRetryableEntry
} from './aws-error.js'

const named = (name: string, message: string, over: object = {}) =>
  Object.assign(new Error(message), { name, ...over })

await t.test('a failure of any shape becomes one error with its code', async t => {
  const rows = [
    {
      why: 'the service names its errors',
      error: named('ThrottlingException', 'Rate exceeded'),
      code: 'ThrottlingException'
    },
    {
      why: 'the network has codes',
      error: named('Error', 'connect', { code: 'ECONNREFUSED' }),
      code: 'ECONNREFUSED'
    },
    {
      why: 'a code beats the name',
      error: named('TimeoutError', 'socket', { code: 'ETIMEDOUT' }),
      code: 'ETIMEDOUT'
    },
    {
      why: 'both addresses of a host refused',
      error: Object.assign(new AggregateError([new Error('::1')]), { code: 'ECONNREFUSED' }),
      code: 'ECONNREFUSED'
    },
    {
      why: 'older servers have a prefix',
      error: named('AWS.SimpleQueueService.NonExistentQueue', 'gone'),
      code: 'NonExistentQueue'
    },
    {
      why: 'the wrapping of sqs-consumer',
      error: named('SQSError', 'outer', { cause: named('Inner', 'inner') }),
      code: 'Inner'
    },
    { why: 'a plain error', error: new Error('what?'), code: 'Unknown' },
    { why: 'no error at all', error: 'text', code: 'Unknown' }
  ]
  for (const { why, error, code } of rows) {
    const queueError = asQueueError(error)
    t.type(queueError, QueueError, why)
    t.equal(queueError.code, code, why)
    t.not(queueError.message, '', why)
  }
  const own = new QueueError('ETIMEDOUT', 'late')
  t.equal(asQueueError(own), own, 'ours stays as it is')
  t.equal(asQueueError(named('SQSError', 'outer', { cause: own })), own)
})

await t.test(
  'only the first line of a service’s message is kept, cut to 300 characters',
  async t => {
    const said = named(
      'SignatureDoesNotMatch',
      'The signature does not match.\n\nThe Canonical String was\nx-amz-security-token:planted'
    )
    t.equal(asQueueError(said).message, 'The signature does not match.')
    t.equal(asQueueError(named('Odd', 'x'.repeat(1_000))).message, 'x'.repeat(300))
  }
)

await t.test('each question has the same answer for every server', async t => {
  for (const name of ['QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue'])
    t.ok(isMissingQueue(asQueueError(named(name, ''))))
  for (const name of ['QueueNameExists', 'QueueAlreadyExists'])
    t.ok(isExistingQueue(asQueueError(named(name, ''))))
  for (const name of ['AccessDenied', 'AccessDeniedException'])
    t.ok(isDenied(asQueueError(named(name, ''))))
  t.notOk(isMissingQueue(asQueueError(named('AccessDenied', ''))))
})

await t.test('an entry is worth another call unless it is wrong in itself', async t => {
  const rows = [
    { code: 'InternalError', isSenderFault: false, want: true },
    { code: 'InternalError', isSenderFault: true, want: false },
    { code: 'ReceiptHandleIsInvalid', isSenderFault: false, want: false },
    { code: 'InvalidParameterValue', isSenderFault: false, want: false },
    { code: 'MessageNotInflight', isSenderFault: false, want: false },
    { code: 'RequestThrottled', isSenderFault: true, want: true },
    { code: 'KmsThrottled', isSenderFault: true, want: true },
    { code: 'OverLimit', isSenderFault: true, want: true }
  ]
  for (const { code, isSenderFault, want } of rows)
    t.equal(isRetryableEntry(code, isSenderFault), want, `${code} ${isSenderFault}`)
  t.equal(entryCode('AWS.SimpleQueueService.MessageNotInflight'), 'MessageNotInflight')
  t.equal(entryCode(undefined), 'Unknown')
})
