import t, { type Test } from 'tap'
import type { ReceivedMessage } from '../../engine/message/message.js'
import { QueueError, type ReceiveOptions } from '../../engine/queue/queue.js'
import { createManualClock } from './manual-clock.js'
import { createMemoryQueue, type MemoryQueueOptions } from './memory-queue.js'

function setup(t: Test, over: Partial<MemoryQueueOptions> = {}) {
  const clock = createManualClock()
  const queue = createMemoryQueue({ clock, visibilityTimeoutS: 30, ...over })
  t.teardown(() => queue.close())
  const inbox: ReceivedMessage[] = []
  const errors: QueueError[] = []
  let receives = 0
  const receive = (more: Partial<ReceiveOptions> = {}) =>
    queue.receive({
      deliver: messages => inbox.push(...messages),
      admit: () => Promise.resolve(),
      onError: error => errors.push(error),
      onReceive: () => receives++,
      ...more
    })
  return { clock, queue, inbox, errors, receive, receives: () => receives }
}

await t.test('visibility ends to the millisecond', async t => {
  const { clock, queue, inbox, receive } = setup(t)
  await queue.send([{ body: 'a' }])
  receive()
  await clock.advanceAsync(29_999)
  t.equal(inbox.length, 1)
  await clock.advanceAsync(1)
  t.equal(inbox.length, 2)
  t.strictSame(queue.messages(), [
    { id: inbox[0]!.id, body: 'a', receiveCount: 2, isInFlight: true }
  ])
})

await t.test('an idle receive returns empty after its wait', async t => {
  const { clock, receive, receives } = setup(t, { waitTimeS: 20 })
  receive()
  await clock.advanceAsync(19_999)
  t.equal(receives(), 0)
  await clock.advanceAsync(1)
  t.equal(receives(), 1)
})

await t.test(
  'a message received too often becomes a dead letter and is not delivered again',
  async t => {
    const { clock, queue, inbox, receive } = setup(t, { maxReceiveCount: 2 })
    await queue.send([{ body: 'poison' }])
    receive()
    await clock.advanceAsync(90_000)
    t.strictSame(
      inbox.map(message => message.receiveCount),
      [1, 2]
    )
    t.strictSame(queue.messages(), [])
    t.strictSame(queue.deadMessages(), [
      { id: inbox[0]!.id, body: 'poison', receiveCount: 2, isInFlight: false }
    ])
  }
)

await t.test('the newest handle deletes even after its visibility has run out', async t => {
  const { clock, queue, inbox, receive } = setup(t)
  await queue.send([{ body: 'a' }])
  const receiver = receive()
  await clock.advanceAsync(0)
  await receiver.stop()
  await clock.advanceAsync(30_000)
  t.equal(
    (await queue.leases.extend(inbox, 10))[0]?.retryable,
    false,
    'though it can no longer be extended'
  )
  t.strictSame(await queue.ack(inbox), [])
  t.strictSame(queue.messages(), [])
  t.strictSame(await queue.ack(inbox), [], 'and deleting again does not fail')
})

await t.test(
  'each delete is announced before it happens, and the listener may refuse it',
  async t => {
    const seen: number[] = []
    let refuse = false
    const { clock, queue, inbox, receive } = setup(t, {
      onAck: receipts => {
        seen.push(receipts.length, queue.messages().length)
        if (refuse) throw new Error('not stored')
      }
    })
    await queue.send([{ body: 'a' }, { body: 'b' }])
    receive()
    await clock.advanceAsync(0)
    const [a, b] = inbox as [ReceivedMessage, ReceivedMessage]
    await queue.ack([a, { ...b, token: `${b.id}#0` }])
    t.strictSame(seen, [1, 2], 'only messages that the handle really deletes, before they are gone')
    refuse = true
    await t.rejects(queue.ack([b]), { message: 'not stored' })
    t.equal(queue.messages().length, 1)
  }
)

await t.test('calls and entries fail once when told to', async t => {
  const { clock, queue, inbox, errors, receive } = setup(t)
  const down = new QueueError('ECONNREFUSED', 'down')
  queue.failNext('send', down)
  t.strictSame(await queue.send([{ body: 'a' }]), [{ code: 'ECONNREFUSED', retryable: true }])
  await queue.send([{ body: 'a' }, { body: 'b' }])
  queue.failNext('receive', down)
  receive()
  await clock.advanceAsync(0)
  t.strictSame([errors.length, inbox.length], [1, 0])
  await clock.advanceAsync(100)
  t.equal(inbox.length, 2, 'the next receive works')

  queue.failNext('ack', down)
  queue.failNext('extend', down)
  queue.failNext('depth', down)
  await t.rejects(queue.ack(inbox), down)
  await t.rejects(queue.leases.extend(inbox, 1), down)
  await t.rejects(queue.inspect.depth(), down)
  const failure = { id: inbox[1]!.id, code: 'InternalError', retryable: true }
  queue.failEntry('extend', failure)
  queue.failEntry('ack', failure)
  t.strictSame(await queue.leases.extend(inbox, 60), [failure])
  t.strictSame(await queue.ack(inbox), [failure])
  t.strictSame(
    queue.messages().map(message => message.body),
    ['b']
  )
  t.strictSame(await queue.ack(inbox), [])
})

await t.test('it holds no timer once it is closed', async t => {
  const { clock, queue, receive } = setup(t)
  receive()
  receive()
  await clock.advanceAsync(0)
  t.ok(clock.pending() > 0)
  await queue.close()
  t.equal(clock.pending(), 0)
})
