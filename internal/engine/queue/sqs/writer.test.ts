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
  return { writer, groups, refusals: () => refusals }
}

t.test(
  'the group is sent as the message group, a name that SQS does not take as its hash',
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

t.test(
  'a server that refuses a call for its groups gets everything without, from then on, and this is said once',
  async t => {
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
  }
)

t.test('a server that refuses entries for their groups gets only those again', async t => {
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

t.test('what is refused without groups too says nothing about them', async t => {
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
  await t.rejects(callFails.writer.send(messages), { code: 'InvalidParameterValue' })
  t.equal(entryFails.refusals() + callFails.refusals(), 0)
})

t.test('other failures are not tried again here', async t => {
  const { writer, groups } = setup(() => {
    throw Object.assign(new Error('slow down'), { name: 'ThrottlingException' })
  })
  await t.rejects(writer.send(messages), { code: 'ThrottlingException' })
  t.equal(groups().length, 1)
})
