/**
 * What every adapter of the port `Queue` must do, and what the engine may rely on.
 *
 * The suite tests what every broker can do, plus the abilities that the harness lists
 * (queue-abilities.ts). It asserts only what all servers agree on. For an outdated
 * receipt some answer with a failure and some with success, so the suite checks what
 * happened to the message.
 */
import type { Test } from 'tap'
import { testInspection, testLeases } from './queue-abilities.js'
import {
  Inbox,
  leftIn,
  type OpenQueue,
  openHarnessQueue,
  type QueueHarness,
  sendTexts,
  UNKNOWN_RECEIPT
} from './queue-harness.js'
import { until } from './until.js'

const never = (): Promise<void> => new Promise(() => undefined)
const bodies = (count: number): string[] => Array.from({ length: count }, (_, n) => `body ${n}`)

export async function queueConformance(t: Test, harness: QueueHarness): Promise<void> {
  const { abilities } = harness

  const open = (t: Test, leaseS = 30): Promise<OpenQueue> => openHarnessQueue(t, harness, leaseS)

  await t.test('a queue declares its abilities', async t => {
    const { queue, writer } = await open(t)
    t.strictSame(
      {
        leases: queue.leases !== null,
        inspect: queue.inspect !== null,
        deadLetters: queue.deadLetters !== null,
        countsDeliveries: queue.countsDeliveries
      },
      abilities
    )
    const { receive, settle } = queue.limits
    for (const limit of [receive, settle, writer.limits.entries, writer.limits.bytes])
      t.ok(limit >= 1)
    t.ok(writer.limits.delayS >= 0)
  })

  await t.test('what is sent arrives once, character for character', async t => {
    const { queue, writer } = await open(t)
    const body = '{"text":"\\u0000 \\ud83d\\ude00 ä 水 \u2028\t\r\n\"<&>"}'
    const ids = await sendTexts(writer, body, ' ')
    const inbox = new Inbox(queue)
    const [first, second] = (await inbox.next(2)).sort((a, b) => b.bytes - a.bytes)
    t.strictSame([first!.id, second!.id], ids, 'under the id that the sender got')
    t.equal(first!.body, body)
    t.equal(first!.bytes, Buffer.byteLength(body))
    t.equal(second!.body, ' ')
    t.equal(first!.receiveCount, 1)
    t.ok(
      first!.sentAtMs > 1_600_000_000_000 && first!.sentAtMs < 10_000_000_000_000,
      'sent at some time in milliseconds'
    )
    t.ok(inbox.receives > 0, 'the receive was reported')
    t.strictSame(inbox.errors, [])
  })

  await t.test('lists may be longer than the broker allows per call, and may be empty', async t => {
    const opened = await open(t)
    const { queue, writer } = opened
    const ids = await sendTexts(writer, ...bodies(25))
    t.equal(new Set(ids).size, 25)
    const inbox = new Inbox(queue)
    const messages = await inbox.next(25)
    t.strictSame(
      messages.map(({ id, body }) => [body, id]).sort(),
      bodies(25)
        .map((body, n) => [body, ids[n]])
        .sort(),
      'each outcome is at its entry’s position'
    )
    if (queue.leases !== null) t.strictSame(await queue.leases.extend(messages, 60), [])
    t.strictSame(await queue.nack(messages), [])
    const again = await inbox.next(25)
    t.strictSame(again.map(({ body }) => body).sort(), bodies(25).sort())
    t.strictSame(await queue.ack(again), [])
    t.strictSame([await queue.ack([]), await queue.nack([]), await writer.send([])], [[], [], []])
    t.strictSame(await leftIn(opened, inbox, again), [])
  })

  await t.test('a receive brings no more than the queue’s declared maximum', async t => {
    const { queue, writer } = await open(t)
    await sendTexts(writer, ...bodies(25))
    const sizes: number[] = []
    const inbox = new Inbox(queue, {
      deliver(messages) {
        sizes.push(messages.length)
        inbox.messages.push(...messages)
      }
    })
    await inbox.next(25)
    t.ok(Math.max(...sizes) <= queue.limits.receive)
  })

  await t.test('nothing is received while admission is withheld', async t => {
    const { queue, writer } = await open(t)
    await sendTexts(writer, 'wait')
    let admit: () => void = () => undefined
    let asked = 0
    const inbox = new Inbox(queue, {
      admit: () => {
        asked++
        return new Promise(resolve => {
          admit = resolve
        })
      }
    })
    await until('admission is asked for', () => asked > 0)
    // Round trips on the same connection: a receive sent before them would have taken the
    // message.
    for (let round = 0; round < 3; round++) {
      await queue.nack([UNKNOWN_RECEIPT])
      if (queue.inspect !== null)
        t.strictSame(await queue.inspect.depth(), { visible: 1, inFlight: 0, delayed: 0 })
    }
    t.equal(inbox.receives, 0)
    admit()
    t.equal((await inbox.one()).body, 'wait')
  })

  await t.test('an acknowledged message is gone, the others are not', async t => {
    const opened = await open(t)
    const { queue, writer } = opened
    await sendTexts(writer, 'gone', 'left')
    const inbox = new Inbox(queue)
    const messages = await inbox.next(2)
    t.strictSame(await queue.ack(messages.filter(({ body }) => body === 'gone')), [])
    t.strictSame(await leftIn(opened, inbox, messages), ['left'])
  })

  await t.test('a message that is given back is delivered again at once', async t => {
    const { queue, writer } = await open(t)
    await sendTexts(writer, 'again')
    const inbox = new Inbox(queue)
    const first = await inbox.one()
    t.strictSame(await queue.nack([first]), [])
    const second = await inbox.one()
    t.equal(second.id, first.id)
    t.equal(second.body, 'again')
    t.equal(second.sentAtMs, first.sentAtMs)
    t.equal(second.receiveCount, abilities.countsDeliveries ? 2 : 1)
    t.not(second.token, first.token, 'under a new receipt')
  })

  await t.test(
    'the receipt of an earlier delivery settles nothing; the newest one does',
    async t => {
      const opened = await open(t)
      const { queue, writer } = opened
      await sendTexts(writer, 'once', 'twice')
      const inbox = new Inbox(queue)
      const messages = await inbox.next(2)
      await queue.nack(messages)
      const newest = await inbox.next(2)
      await queue.ack(messages)
      await queue.ack(newest.filter(({ body }) => body === 'twice'))
      t.strictSame(await leftIn(opened, inbox, newest), ['once'])
    }
  )

  await t.test('an invented receipt harms no other message', async t => {
    const opened = await open(t)
    const { queue, writer } = opened
    await sendTexts(writer, 'a', 'b')
    const inbox = new Inbox(queue)
    const [a, b] = await inbox.next(2)
    await queue.ack([a!, UNKNOWN_RECEIPT, b!])
    t.strictSame(await leftIn(opened, inbox, [a!, b!]), [])
  })

  await t.test(
    'an unsendable message is refused with a code, and its neighbours are sent',
    async t => {
      const { queue, writer } = await open(t)
      const { bytes } = writer.limits
      const hopeless = [{ body: 'x'.repeat(bytes + 1) }, ...harness.unsendable]
      const outcomes = await writer.send([{ body: 'fits' }, ...hopeless, { body: 'too' }])
      t.match(outcomes.slice(1, -1), Array(hopeless.length).fill({ code: /./, retryable: false }))
      t.match([outcomes[0], outcomes.at(-1)], [{ id: /./ }, { id: /./ }])
      t.notOk(hopeless.some(message => writer.takes(message)))
      t.ok(writer.takes({ body: 'fits' }))
      const inbox = new Inbox(queue)
      t.strictSame((await inbox.next(2)).map(({ body }) => body).sort(), ['fits', 'too'])
    }
  )

  await t.test('the largest messages are sent, however many at once', async t => {
    const { queue, writer } = await open(t)
    const large = ['a', 'b', 'c'].map(letter => ({ body: letter.repeat(writer.limits.bytes) }))
    t.ok(large.every(message => writer.takes(message)))
    t.match(await writer.send([...large, { body: 'small' }]), Array(4).fill({ id: /./ }))
    const received = await new Inbox(queue).next(4)
    t.strictSame(received.map(({ body }) => body.slice(0, 5)).sort(), [
      'aaaaa',
      'bbbbb',
      'ccccc',
      'small'
    ])
  })

  await t.test('a copy carries its origin, which counts towards its size', async t => {
    const { queue, writer } = await open(t)
    const origin = 'b9d1f7a2-3f0e-4a53-9a55-0c2f3f6f7c11'
    const full = { body: 'x'.repeat(writer.limits.bytes), origin }
    const outcomes = await writer.send([
      { body: 'copy', origin, group: 'a group' },
      { body: 'first', group: 'a group' },
      full
    ])
    t.match(outcomes, [{ id: /./ }, { id: /./ }, { code: /./, retryable: false }])
    t.notOk(writer.takes(full))
    const received = await new Inbox(queue).next(2)
    t.strictSame(
      received.map(message => [message.body, message.origin]).sort(),
      [
        ['copy', origin],
        ['first', undefined]
      ],
      'and others say nothing'
    )
  })

  await t.test('an origin that cannot be an id is ignored', async t => {
    const { queue, writer } = await open(t)
    await writer.send([
      { body: 'a', origin: 'x'.repeat(256) },
      { body: 'b', origin: 'é'.repeat(127) }
    ])
    const received = await new Inbox(queue).next(2)
    t.strictSame(received.map(message => message.origin?.length).sort(), [127, undefined])
  })

  await t.test('no message is received before its delay is over', async t => {
    const { queue, writer, passTime } = await open(t)
    const isDelayed = writer.limits.delayS > 0
    await writer.send([{ body: 'later', ...(isDelayed ? { delayS: 1 } : {}) }, { body: 'now' }])
    const inbox = new Inbox(queue)
    if (isDelayed) t.equal((await inbox.one()).body, 'now')
    await passTime(1_000)
    await until('the other one', () => inbox.bodies().includes('later'))
  })

  await t.test('a stopped receive delivers nothing more; another one goes on', async t => {
    const { queue, writer, passTime } = await open(t, 1)
    await sendTexts(writer, 'before')
    const stopped = new Inbox(queue)
    await queue.ack([await stopped.one()])
    await stopped.receiving.stop()
    await sendTexts(writer, 'after')
    const other = new Inbox(queue)
    await passTime(1_000)
    t.equal((await other.one()).body, 'after')
    t.strictSame(stopped.messages, [])
    t.strictSame(stopped.errors, [], 'and ending its receives is not an error')
  })

  await t.test('messages received before a stop can still be settled', async t => {
    const opened = await open(t, 1)
    const { queue, writer } = opened
    await sendTexts(writer, 'done', 'not done')
    const stopped = new Inbox(queue)
    const messages = await stopped.next(2)
    await stopped.receiving.stop()
    t.strictSame(await queue.ack(messages.filter(({ body }) => body === 'done')), [])
    t.strictSame(await queue.nack(messages.filter(({ body }) => body === 'not done')), [])
    // A server may hand it to the receive that was just cut off, and then once more.
    const other = new Inbox(queue)
    const again = await other.one()
    t.equal(again.body, 'not done')
    await queue.ack([again])
    t.strictSame(await leftIn(opened, other, messages), [])
  })

  await t.test('messages that a closed connection left unsettled go to another one', async t => {
    const { queue, connect, writer, passTime } = await open(t, 1)
    await sendTexts(writer, 'left')
    await new Inbox(queue).one()
    await queue.close()
    const other = new Inbox(await connect())
    await passTime(1_000)
    t.equal((await other.one()).body, 'left')
  })

  await t.test('a receive may be stopped twice, whatever it waits for', async t => {
    const { queue } = await open(t)
    const waitsForMessages = new Inbox(queue)
    const waitsForAdmission = new Inbox(queue, { admit: never })
    await Promise.all([waitsForMessages, waitsForAdmission].map(inbox => inbox.receiving.stop()))
    await Promise.all([waitsForMessages, waitsForAdmission].map(inbox => inbox.receiving.stop()))
    t.strictSame([...waitsForMessages.errors, ...waitsForAdmission.errors], [])
  })

  await t.test('closing a queue stops its receives and may be done twice', async t => {
    const { queue } = await open(t)
    const inbox = new Inbox(queue, { admit: never })
    await queue.close()
    await queue.close()
    await inbox.receiving.stop()
    t.strictSame(inbox.errors, [])
  })

  if (abilities.leases) await t.test('leases', t => testLeases(t, harness))
  if (abilities.inspect) await t.test('looking inside', t => testInspection(t, harness))
  if (abilities.deadLetters) {
    await t.test('a dead letter is not delivered again, and is kept', async t => {
      const opened = await open(t)
      const { queue, writer, deadBodies } = opened
      await sendTexts(writer, 'dead', 'alive')
      const inbox = new Inbox(queue)
      const messages = await inbox.next(2)
      const dead = messages.filter(({ body }) => body === 'dead')
      t.strictSame(await queue.deadLetters!.put(dead), [])
      t.strictSame(await leftIn(opened, inbox, messages), ['alive'])
      await until('the dead letter', async () => (await deadBodies()).length > 0)
      t.strictSame(await deadBodies(), ['dead'])
    })
  }
}
