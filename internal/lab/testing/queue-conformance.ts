/**
 * What every adapter of the port `Queue` must do, and what the engine may rely on.
 *
 * Shapes  `setup` gives each test an empty queue with its writer and a way to let time
 *         pass; the suite closes both. Only what all servers agree on is asserted: for a
 *         handle that is out of date some answer with a failure and some with success, so
 *         the suite asks what became of the message.
 */
import type { Test } from 'tap'
import type { ReceivedMessage } from '../../engine/message/message.js'
import type {
  InspectableQueue,
  Queue,
  QueueError,
  QueueWriter,
  ReceiveOptions,
  Receiver
} from '../../engine/queue/queue.js'
import { until } from './until.js'

export interface QueueSetup {
  readonly queue: InspectableQueue
  readonly writer: QueueWriter
  /**
   * Moves a manual clock on; with a real one it may return at once: the suite then waits
   * for what must happen.
   */
  readonly passTime: (ms: number) => Promise<void>
}

type SetUp = (t: Test, options: { readonly visibilityTimeoutS: number }) => Promise<QueueSetup>

/** Everything that one receiver was handed, in order. */
class Inbox {
  readonly messages: ReceivedMessage[] = []
  readonly errors: QueueError[] = []
  receives = 0
  readonly receiver: Receiver

  constructor(queue: Queue, over: Partial<ReceiveOptions> = {}) {
    this.receiver = queue.receive({
      deliver: messages => this.messages.push(...messages),
      admit: () => Promise.resolve(),
      onError: error => this.errors.push(error),
      onReceive: () => this.receives++,
      ...over
    })
  }

  async next(count: number): Promise<ReceivedMessage[]> {
    await until(`${count} more messages`, () => this.messages.length >= count)
    return this.messages.splice(0, count)
  }

  async one(): Promise<ReceivedMessage> {
    return (await this.next(1))[0]!
  }
}

const send = async (writer: QueueWriter, ...bodies: string[]): Promise<string[]> => {
  const outcomes = await writer.send(bodies.map(body => ({ body })))
  return outcomes.map(outcome => ('id' in outcome ? outcome.id : `failed with ${outcome.code}`))
}
const never = (): Promise<void> => new Promise(() => undefined)
const unknownReceipt = { id: 'unknown', receiptHandle: 'a handle that no queue has given out' }

export async function testQueueConformance(t: Test, setUp: SetUp): Promise<void> {
  const open = async (t: Test, visibilityTimeoutS = 30): Promise<QueueSetup> => {
    const setup = await setUp(t, { visibilityTimeoutS })
    t.teardown(async () => {
      await setup.queue.close()
      await setup.writer.close()
    })
    return setup
  }

  await t.test('what is sent arrives once, character for character', async t => {
    const { queue, writer } = await open(t)
    const body = '{"text":"\\u0000 \\ud83d\\ude00 ä 水 \u2028\t\r\n\"<&>"}'
    const ids = await send(writer, body, ' ')
    const inbox = new Inbox(queue)
    const [first, second] = (await inbox.next(2)).sort((a, b) => b.bytes - a.bytes)
    t.strictSame([first!.id, second!.id], ids, 'under the id that the sender was told')
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

  await t.test('more than one receive holds arrives too, each message once', async t => {
    const { queue, writer } = await open(t)
    const sent: string[] = []
    for (const batch of ['a', 'b', 'c']) {
      sent.push(
        ...(await send(writer, ...Array.from({ length: 9 }, (_, index) => `${batch}${index}`)))
      )
    }
    const received = await new Inbox(queue).next(27)
    t.strictSame(received.map(message => message.id).sort(), sent.sort())
  })

  await t.test('nothing is received while admission is withheld', async t => {
    const { queue, writer } = await open(t)
    await send(writer, 'wait')
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
    // Round trips on the same connection: a receive that had been sent before them would
    // have taken the message.
    for (let round = 0; round < 3; round++)
      t.strictSame(await queue.depth(), { visible: 1, inFlight: 0, delayed: 0 })
    t.equal(inbox.receives, 0)
    admit()
    t.equal((await inbox.one()).body, 'wait')
  })

  await t.test('an acknowledged message is gone', async t => {
    const { queue, writer } = await open(t)
    await send(writer, 'a', 'b')
    const messages = await new Inbox(queue).next(2)
    t.strictSame(await queue.depth(), { visible: 0, inFlight: 2, delayed: 0 })
    t.strictSame(await queue.ack(messages), [])
    t.strictSame(await queue.depth(), { visible: 0, inFlight: 0, delayed: 0 })
  })

  await t.test(
    'a message that nobody settles comes back when its visibility timeout ends',
    async t => {
      const { queue, writer, passTime } = await open(t, 1)
      const [id] = await send(writer, 'again')
      const inbox = new Inbox(queue)
      const first = await inbox.one()
      await passTime(1_000)
      const second = await inbox.one()
      t.equal(second.id, id)
      t.equal(second.body, 'again')
      t.equal(second.receiveCount, 2)
      t.not(second.receiptHandle, first.receiptHandle, 'under a new handle')
      t.equal(second.sentAtMs, first.sentAtMs)
    }
  )

  await t.test('extending by 0 seconds hands a message out again at once', async t => {
    const { queue, writer } = await open(t)
    await send(writer, 'again')
    const inbox = new Inbox(queue)
    const first = await inbox.one()
    t.strictSame(await queue.extend([first], 0), [])
    const second = await inbox.one()
    t.equal(second.receiveCount, 2)
    t.not(second.receiptHandle, first.receiptHandle)
  })

  await t.test('the handle of an earlier delivery does not delete, the newest does', async t => {
    const { queue, writer } = await open(t)
    await send(writer, 'again')
    const inbox = new Inbox(queue)
    const first = await inbox.one()
    await queue.extend([first], 0)
    const second = await inbox.one()
    await queue.ack([first])
    t.strictSame(await queue.depth(), { visible: 0, inFlight: 1, delayed: 0 })
    t.strictSame(await queue.ack([second]), [])
    t.strictSame(await queue.depth(), { visible: 0, inFlight: 0, delayed: 0 })
  })

  await t.test('an extended message stays away for longer than its visibility timeout', async t => {
    const { queue, writer, passTime } = await open(t, 1)
    await send(writer, 'kept', 'back')
    const inbox = new Inbox(queue)
    const messages = await inbox.next(2)
    const kept = messages.find(message => message.body === 'kept')!
    t.strictSame(await queue.extend([kept], 60), [])
    await passTime(1_000)
    t.equal((await inbox.one()).body, 'back', 'its neighbour comes back')
    t.strictSame(inbox.messages, [])
    t.strictSame(await queue.ack([kept]), [], 'and its handle still counts')
    t.equal((await queue.depth()).visible, 0)
  })

  await t.test('one bad entry fails alone and for good', async t => {
    const { queue, writer } = await open(t)
    await send(writer, 'a', 'b')
    const [a, b] = await new Inbox(queue).next(2)
    const failures = await queue.extend([a!, unknownReceipt, b!], 60)
    t.match(failures, [{ id: 'unknown', code: /./, retryable: false }])
    t.equal(failures.length, 1)
  })

  await t.test('a batch call takes ten entries, not eleven, and nothing at all', async t => {
    const { queue, writer } = await open(t)
    await send(writer, ...Array.from({ length: 10 }, (_, index) => `body ${index}`))
    const ten = await new Inbox(queue).next(10)
    const eleven = [...ten, unknownReceipt]
    await t.rejects(queue.ack(eleven), RangeError)
    await t.rejects(queue.extend(eleven, 1), RangeError)
    await t.rejects(writer.send(Array.from({ length: 11 }, () => ({ body: 'x' }))), RangeError)
    t.strictSame(
      await queue.depth(),
      { visible: 0, inFlight: 10, delayed: 0 },
      'and a refused call does nothing'
    )
    t.strictSame(await queue.extend(ten, 60), [])
    t.strictSame(await queue.ack(ten), [])
    t.strictSame(await queue.ack([]), [])
    t.strictSame(await queue.extend([], 1), [])
    t.strictSame(await writer.send([]), [])
  })

  await t.test('visibility is cut to what the queue allows, and must be a number', async t => {
    const { queue, writer } = await open(t)
    await send(writer, 'a')
    const message = await new Inbox(queue).one()
    t.strictSame(await queue.extend([message], 43_201), [])
    t.strictSame(await queue.extend([message], 0.5), [], 'a part of a second counts as a whole one')
    await t.rejects(queue.extend([message], -1), RangeError)
    await t.rejects(queue.extend([message], NaN), RangeError)
  })

  await t.test(
    'what cannot be sent is refused with a code, and its neighbours are sent',
    async t => {
      const { queue, writer } = await open(t)
      const largest = 'x'.repeat(1_048_576)
      const outcomes = await writer.send([
        { body: `${largest}x` },
        { body: 'fits' },
        { body: '' },
        { body: 'a raw \u0000' }
      ])
      t.match(outcomes, [
        { code: /./, retryable: false },
        { id: /./ },
        { code: /./, retryable: false },
        { code: /./, retryable: false }
      ])
      t.equal((await queue.depth()).visible, 1)
      t.match(await writer.send([{ body: largest }]), [{ id: /./ }], 'one MiB is sent')
      await t.rejects(writer.send([{ body: largest }, { body: 'x' }]), {
        name: 'QueueError',
        code: 'BatchRequestTooLong'
      })
    }
  )

  await t.test(
    'a redriven message says where it comes from, and counts that against its size',
    async t => {
      const { queue, writer } = await open(t)
      const origin = 'b9d1f7a2-3f0e-4a53-9a55-0c2f3f6f7c11'
      const largest = 'x'.repeat(1_048_576)
      const outcomes = await writer.send([
        { body: 'redriven', origin },
        { body: 'first' },
        { body: largest, origin }
      ])
      t.match(outcomes, [{ id: /./ }, { id: /./ }, { code: /./, retryable: false }])
      const received = await new Inbox(queue).next(2)
      t.strictSame(
        received.map(message => [message.body, message.origin]).sort(),
        [
          ['first', undefined],
          ['redriven', origin]
        ],
        'and others say nothing'
      )
    }
  )

  await t.test('an origin that can be no id is ignored', async t => {
    const { queue, writer } = await open(t)
    await writer.send([
      { body: 'a', origin: 'x'.repeat(256) },
      { body: 'b', origin: 'é'.repeat(127) }
    ])
    const received = await new Inbox(queue).next(2)
    t.strictSame(received.map(message => message.origin?.length).sort(), [127, undefined])
  })

  await t.test(
    'what is taken stays away from others for as long as it was said, and is settled like any other',
    async t => {
      const { queue, writer, passTime } = await open(t)
      const ids = await send(writer, 'a', 'b', 'c')
      const taken = await queue.take(2, 60)
      t.equal(taken.length, 2, 'no more than was asked for')
      const rest = await queue.take(10, 60)
      t.strictSame([...taken, ...rest].map(message => message.id).sort(), [...ids].sort())
      t.ok([...taken, ...rest].every(message => message.receiveCount === 1))
      t.strictSame(await queue.take(10, 60), [], 'nothing is visible any more')
      t.strictSame(await queue.ack(taken), [])
      t.strictSame(await queue.extend(rest, 0), [])
      const [again] = await queue.take(10, 1)
      t.match(again, {
        id: rest[0]!.id,
        body: rest[0]!.body,
        receiveCount: 2,
        sentAtMs: rest[0]!.sentAtMs
      })
      await passTime(1_000)
      t.match(await new Inbox(queue).one(), { id: rest[0]!.id, receiveCount: 3 })
    }
  )

  await t.test('a stopped receiver is handed nothing more; another one goes on', async t => {
    const { queue, writer, passTime } = await open(t, 1)
    await send(writer, 'before')
    const stopped = new Inbox(queue)
    await queue.ack([await stopped.one()])
    await stopped.receiver.stop()
    await send(writer, 'after')
    const other = new Inbox(queue)
    await passTime(1_000)
    t.equal((await other.one()).body, 'after')
    t.strictSame(stopped.messages, [])
    t.strictSame(stopped.errors, [], 'and the end of its own receives is no error')
  })

  await t.test(
    'a receiver may be stopped twice, also while it waits for admission or for messages',
    async t => {
      const { queue } = await open(t)
      const waitsForMessages = new Inbox(queue)
      const waitsForAdmission = new Inbox(queue, { admit: never })
      await Promise.all([waitsForMessages, waitsForAdmission].map(inbox => inbox.receiver.stop()))
      await Promise.all([waitsForMessages, waitsForAdmission].map(inbox => inbox.receiver.stop()))
      t.strictSame([...waitsForMessages.errors, ...waitsForAdmission.errors], [])
    }
  )

  await t.test('closing the queue stops its receivers and may be done twice', async t => {
    const { queue } = await open(t)
    const inbox = new Inbox(queue, { admit: never })
    await queue.close()
    await queue.close()
    await inbox.receiver.stop()
    t.strictSame(inbox.errors, [])
  })
}
