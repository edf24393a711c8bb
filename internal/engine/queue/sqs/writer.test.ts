import t from 'tap'
import { createStubSqs, type SentCommand } from '../../../lab/testing/stub-sqs.js'
import { createSqsWriter } from './writer.js'

interface SentEntry {
  readonly Id: string
  readonly MessageBody: string
  readonly MessageGroupId?: string
}

const entriesOf = ({ input }: SentCommand) => input['Entries'] as SentEntry[]
const accept = (entries: readonly SentEntry[]) =>
  entries.map(({ Id, MessageBody }) => ({ Id, MessageId: `id of ${MessageBody}` }))
const refused = () =>
  Object.assign(new Error('no such parameter'), { name: 'InvalidParameterValue' })
const messages = [{ body: 'a', group: 'client-1' }, { body: 'b', group: 'client-2' }, { body: 'c' }]

function setup(answer: (command: SentCommand) => unknown) {
  const stub = createStubSqs(answer)
  let refusals = 0
  const writer = createSqsWriter({
    sqs: stub.sqs,
    queueUrl: 'http://queue.invalid/1/q',
    onGroupsRefused: () => refusals++
  })
  const groups = () =>
    stub.sent.map(command => entriesOf(command).map(({ MessageGroupId }) => MessageGroupId ?? null))
  const bodies = () =>
    stub.sent.map(command => entriesOf(command).map(({ MessageBody }) => MessageBody))
  return { writer, groups, bodies, refusals: () => refusals }
}

t.test(
  'the group is sent as the message group, or as its hash if SQS refuses the name',
  async t => {
    const { writer, groups, refusals } = setup(command => ({
      Successful: accept(entriesOf(command))
    }))
    await writer.send([
      ...messages,
      { body: 'd', group: 'Käse GmbH' },
      { body: 'e', group: 'x'.repeat(129) }
    ])
    const [sent] = groups()
    t.same(sent?.slice(0, 3), ['client-1', 'client-2', null])
    t.match(sent?.[3], /^[0-9a-f]{64}$/)
    t.match(sent?.[4], /^[0-9a-f]{64}$/)
    t.not(sent?.[3], sent?.[4])
    t.equal(refusals(), 0)
  }
)

t.test('after a call refused for its groups all go without, and this is reported once', async t => {
  const { writer, groups, refusals } = setup(command => {
    if (entriesOf(command).some(entry => entry.MessageGroupId !== undefined)) throw refused()
    return { Successful: accept(entriesOf(command)) }
  })
  const expected = [{ id: 'id of a' }, { id: 'id of b' }, { id: 'id of c' }]
  t.same(await writer.send(messages), expected)
  t.same(await writer.send(messages), expected)
  const none = [null, null, null]
  t.same(groups(), [['client-1', 'client-2', null], none, none])
  t.equal(refusals(), 1)
})

t.test('only the entries that were refused for their groups are sent again', async t => {
  const { writer, groups, refusals } = setup(command => {
    const isBad = (entry: SentEntry) => entry.MessageGroupId !== undefined
    const entries = entriesOf(command)
    const failed = entries
      .filter(isBad)
      .map(({ Id }) => ({ Id, Code: 'InvalidParameterValue', SenderFault: true }))
    return { Successful: accept(entries.filter(entry => !isBad(entry))), Failed: failed }
  })
  t.same(await writer.send(messages), [{ id: 'id of a' }, { id: 'id of b' }, { id: 'id of c' }])
  t.same(groups(), [
    ['client-1', 'client-2', null],
    [null, null]
  ])
  t.equal(refusals(), 1)
})

t.test('a message refused without its group too says nothing about groups', async t => {
  const entryFails = setup(command => ({
    Failed: entriesOf(command).map(({ Id }) => ({
      Id,
      Code: 'InvalidParameterValue',
      SenderFault: true
    }))
  }))
  t.same(await entryFails.writer.send([messages[0]!]), [
    { code: 'InvalidParameterValue', retryable: false }
  ])
  await entryFails.writer.send([messages[1]!])
  t.same(
    entryFails.groups(),
    [['client-1'], [null], ['client-2'], [null]],
    'groups are still tried'
  )
  const callFails = setup(() => {
    throw refused()
  })
  t.same(
    await callFails.writer.send(messages),
    messages.map(() => ({ code: 'InvalidParameterValue', retryable: true }))
  )
  t.equal(entryFails.refusals() + callFails.refusals(), 0)
})

t.test('a failed call is an outcome of each message, and is not made again', async t => {
  const { writer, groups } = setup(() => {
    throw Object.assign(new Error('slow down'), { name: 'ThrottlingException' })
  })
  t.same(
    await writer.send([...messages, { body: '' }]),
    [
      ...messages.map(() => ({ code: 'ThrottlingException', retryable: true })),
      { code: 'MissingParameter', retryable: false }
    ],
    'except messages refused without a call'
  )
  t.equal(groups().length, 1)
})

t.test('groups are not given up while the call without them fails', async t => {
  const { writer, refusals } = setup(command => {
    const [entry] = entriesOf(command)
    if (entry?.MessageGroupId === undefined)
      throw Object.assign(new Error('down'), { code: 'DOWN' })
    throw refused()
  })
  t.same(await writer.send([messages[0]!]), [{ code: 'DOWN', retryable: true }])
  t.equal(refusals(), 0)
})

t.test('a list goes out in calls of at most ten entries and one mebibyte', async t => {
  const { writer, bodies } = setup(command => ({ Successful: accept(entriesOf(command)) }))
  const sizes = async (list: readonly string[]): Promise<readonly number[]> => {
    const before = bodies().length
    const outcomes = await writer.send(list.map(body => ({ body })))
    t.same(
      outcomes,
      list.map(body => ({ id: `id of ${body}` })),
      'outcomes come in the order of the list'
    )
    return bodies()
      .slice(before)
      .map(call => call.length)
  }
  const names = (count: number) => Array.from({ length: count }, (_, n) => `body ${n}`)
  t.same(await sizes(names(10)), [10])
  t.same(await sizes(names(25)), [10, 10, 5])
  const large = ['a', 'b', 'c', 'd'].map(letter => letter.repeat(524_288))
  t.same(await sizes(large), [2, 2])
  t.same(await sizes([...large.slice(0, 2), 'c', ...large.slice(2)]), [2, 2, 1])
  t.same(await sizes([]), [])
})

t.test('a message that can never be sent takes no room in a call', async t => {
  const { writer, bodies } = setup(command => ({ Successful: accept(entriesOf(command)) }))
  const outcomes = await writer.send(['a', 'x'.repeat(1_048_577), 'b', ''].map(body => ({ body })))
  t.match(outcomes, [
    { id: 'id of a' },
    { code: 'MessageTooLong', retryable: false },
    { id: 'id of b' },
    { code: 'MissingParameter', retryable: false }
  ])
  t.same(bodies(), [['a', 'b']])
})

t.test('after a failed call the rest of the list is not sent', async t => {
  let calls = 0
  const { writer } = setup(command => {
    if (++calls === 2) throw Object.assign(new Error('down'), { code: 'ECONNREFUSED' })
    return { Successful: accept(entriesOf(command)) }
  })
  const list = Array.from({ length: 30 }, (_, n) => ({ body: n === 29 ? '' : `body ${n}` }))
  t.same(await writer.send(list), [
    ...list.slice(0, 10).map(({ body }) => ({ id: `id of ${body}` })),
    ...Array<unknown>(19).fill({ code: 'ECONNREFUSED', retryable: true }),
    { code: 'MissingParameter', retryable: false }
  ])
  t.equal(calls, 2)
})
