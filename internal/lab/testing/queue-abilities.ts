/**
 * What an adapter must do for abilities that a broker may lack: leases and inspection.
 */
import type { Test } from 'tap'
import type { Leases, QueueInspection } from '../../engine/queue/queue.js'
import {
  Inbox,
  type OpenQueue,
  openHarnessQueue,
  type QueueHarness,
  sendTexts,
  UNKNOWN_RECEIPT
} from './queue-harness.js'

export async function testLeases(t: Test, harness: QueueHarness): Promise<void> {
  const { countsDeliveries } = harness.abilities
  const open = async (t: Test, leaseS = 30): Promise<OpenQueue & { leases: Leases }> => {
    const opened = await openHarnessQueue(t, harness, leaseS)
    return { ...opened, leases: opened.queue.leases! }
  }

  await t.test('an unsettled message comes back when its lease ends', async t => {
    const { queue, writer, passTime } = await open(t, 1)
    const [id] = await sendTexts(writer, 'again')
    const inbox = new Inbox(queue)
    const first = await inbox.one()
    await passTime(1_000)
    const second = await inbox.one()
    t.equal(second.id, id)
    t.equal(second.body, 'again')
    t.equal(second.receiveCount, countsDeliveries ? 2 : 1)
    t.not(second.token, first.token, 'with a new receipt')
    t.equal(second.sentAtMs, first.sentAtMs)
  })

  await t.test('an extended message stays away for longer than its lease', async t => {
    const { queue, leases, writer, passTime } = await open(t, 1)
    await sendTexts(writer, 'kept', 'back')
    const inbox = new Inbox(queue)
    const messages = await inbox.next(2)
    const kept = messages.find(message => message.body === 'kept')!
    t.strictSame(await leases.extend([kept], 60), [])
    await passTime(1_000)
    t.equal((await inbox.one()).body, 'back', 'its neighbour comes back')
    t.strictSame(inbox.messages, [])
    t.strictSame(await queue.ack([kept]), [], 'and its receipt is still valid')
  })

  await t.test('a bad entry fails alone and permanently', async t => {
    const { queue, leases, writer } = await open(t)
    await sendTexts(writer, 'a', 'b')
    const [a, b] = await new Inbox(queue).next(2)
    const failures = await leases.extend([a!, UNKNOWN_RECEIPT, b!], 60)
    t.match(failures, [{ id: 'unknown', code: /./, retryable: false }])
    t.equal(failures.length, 1)
  })

  await t.test('a lease is cut to what the queue allows, and must be a number', async t => {
    const { queue, leases, writer } = await open(t)
    await sendTexts(writer, 'a')
    const message = await new Inbox(queue).one()
    t.strictSame(await leases.extend([message], 1_000_000), [])
    t.strictSame(await leases.extend([message], 0.5), [], 'a fraction of a second is rounded up')
    await t.rejects(leases.extend([message], -1), RangeError)
    await t.rejects(leases.extend([message], NaN), RangeError)
    t.strictSame(await leases.extend([], 1), [])
  })
}

export async function testInspection(t: Test, harness: QueueHarness): Promise<void> {
  const open = async (t: Test): Promise<OpenQueue & { inspect: QueueInspection }> => {
    const opened = await openHarnessQueue(t, harness, 30)
    return { ...opened, inspect: opened.queue.inspect! }
  }

  await t.test('the depth counts waiting, in-flight and delayed messages', async t => {
    const { queue, inspect, writer } = await open(t)
    await sendTexts(writer, 'a', 'b', 'c')
    t.strictSame(await inspect.depth(), { visible: 3, inFlight: 0, delayed: 0 })
    const messages = await new Inbox(queue).next(3)
    t.strictSame(await inspect.depth(), { visible: 0, inFlight: 3, delayed: 0 })
    await queue.ack(messages.slice(1))
    t.strictSame(await inspect.depth(), { visible: 0, inFlight: 1, delayed: 0 })
    if (writer.limits.delayS === 0) return
    await writer.send([{ body: 'later', delayS: writer.limits.delayS }])
    t.strictSame(await inspect.depth(), { visible: 0, inFlight: 1, delayed: 1 })
  })

  await t.test(
    'taken messages stay invisible to others for the given time and can be settled',
    async t => {
      const { queue, inspect, writer, passTime } = await open(t)
      const ids = await sendTexts(writer, 'a', 'b', 'c')
      const taken = await inspect.take(2, 60)
      t.equal(taken.length, 2, 'no more than was asked for')
      const rest = await inspect.take(10, 60)
      t.strictSame([...taken, ...rest].map(message => message.id).sort(), [...ids].sort())
      t.ok([...taken, ...rest].every(message => message.receiveCount === 1))
      t.strictSame(await inspect.take(10, 60), [], 'nothing is visible any more')
      t.strictSame(await queue.ack(taken), [])
      t.strictSame(await queue.nack(rest), [])
      const [again] = await inspect.take(10, 1)
      t.match(again, { id: rest[0]!.id, body: rest[0]!.body, sentAtMs: rest[0]!.sentAtMs })
      await passTime(1_000)
      const last = await new Inbox(queue).one()
      t.equal(last.id, rest[0]!.id)
      t.strictSame(
        [again!.receiveCount, last.receiveCount],
        queue.countsDeliveries ? [2, 3] : [1, 1],
        'each look counts'
      )
    }
  )
}
