/**
 * What the conformance suite of queues works with: a broker as its harness presents it,
 * and the messages received from it.
 */
import type { Test } from 'tap'
import type { ReceivedMessage } from '../../engine/message/message.js'
import type {
  OutgoingMessage,
  Queue,
  QueueError,
  QueueWriter,
  Receipt,
  ReceiveOptions,
  Receiving
} from '../../engine/queue/queue.js'
import { until } from './until.js'

/** A broker's abilities; its adapter must declare the same. */
export interface QueueAbilities {
  readonly leases: boolean
  readonly inspect: boolean
  readonly deadLetters: boolean
  readonly countsDeliveries: boolean
}

export interface QueueHarness {
  readonly abilities: QueueAbilities
  /** Messages of the usual size that this broker can never take. */
  readonly unsendable: readonly OutgoingMessage[]
  /** Opens a queue for one test. */
  open(t: Test, options: { readonly leaseS: number }): Promise<HarnessQueue>
}

export interface HarnessQueue {
  /** A connection to the queue; the suite closes it. */
  connect(): Promise<Queue>
  readonly writer: QueueWriter
  /**
   * The bodies of the dead letters; called only if the broker has a dead-letter queue.
   */
  deadBodies(): Promise<readonly string[]>
  /**
   * Advances a manual clock. With a real clock it may return at once: the suite waits for
   * the expected events.
   */
  passTime(ms: number): Promise<void>
}

/** Everything that was received, in order. */
export class Inbox {
  readonly messages: ReceivedMessage[] = []
  readonly errors: QueueError[] = []
  receives = 0
  readonly receiving: Receiving

  constructor(queue: Queue, over: Partial<ReceiveOptions> = {}) {
    this.receiving = queue.receive({
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

  bodies(): string[] {
    return this.messages.map(({ body }) => body).sort()
  }
}

/** A queue that a test has connected to. */
export interface OpenQueue extends Omit<HarnessQueue, 'connect'> {
  readonly queue: Queue
  /** Another connection to the same queue. */
  readonly connect: () => Promise<Queue>
}

/** Opens a queue of the harness, and closes its connections at teardown. */
export async function openHarnessQueue(
  t: Test,
  harness: QueueHarness,
  leaseS: number
): Promise<OpenQueue> {
  const opened = await harness.open(t, { leaseS })
  const queues: Queue[] = []
  const connect = async (): Promise<Queue> => {
    const queue = await opened.connect()
    queues.push(queue)
    return queue
  }
  t.teardown(async () => {
    for (const queue of queues) await queue.close()
    await opened.writer.close()
  })
  return {
    writer: opened.writer,
    passTime: ms => opened.passTime(ms),
    deadBodies: () => opened.deadBodies(),
    connect,
    queue: await connect()
  }
}

/** A receipt of no delivery. */
export const UNKNOWN_RECEIPT = {
  id: 'unknown',
  token: 'a token that no queue has given out'
}

/** Sends bodies and resolves with their ids. */
export async function sendTexts(writer: QueueWriter, ...bodies: string[]): Promise<string[]> {
  const outcomes = await writer.send(bodies.map(body => ({ body })))
  return outcomes.map(outcome => ('id' in outcome ? outcome.id : `failed with ${outcome.code}`))
}

/**
 * Gives back the unsettled ones of `receipts`, and resolves with what then arrives in
 * `inbox`.
 */
export async function leftIn(
  { queue, writer }: OpenQueue,
  inbox: Inbox,
  receipts: readonly Receipt[]
): Promise<readonly string[]> {
  await queue.nack(receipts)
  await sendTexts(writer, 'the last one')
  await until('the last one', () => inbox.bodies().includes('the last one'))
  const { inspect } = queue
  if (inspect !== null)
    await until('all have come', async () => (await inspect.depth()).visible === 0)
  return inbox.bodies().filter(body => body !== 'the last one')
}
