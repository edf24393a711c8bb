import t, { type Test } from 'tap'
import { Intake } from '../../../engine/intake/intake.js'
import type { IntakeLimits } from '../../../engine/intake/options.js'
import type { OutgoingMessage, QueueWriter, SendLimits } from '../../../engine/queue/queue.js'
import { EQUAL_CLIENTS } from '../../../lab/testing/equal-clients.js'
import { createManualClock } from '../../../lab/testing/manual-clock.js'
import { createMemoryEventStore } from '../../../lab/testing/memory-event-store.js'
import { createMemoryQueue, type MemoryQueue } from '../../../lab/testing/memory-queue.js'
import { NO_SUSPECTS } from '../../../lab/testing/no-suspects.js'
import { SILENT_INTAKE, SILENT_JOURNAL } from '../../../lab/testing/silent-intake.js'
import { createDecoder } from '../event/decode.js'
import { clientOf, type EventRejection, type ValidEvent } from '../event/event.js'
import type { Quota } from './client-rules.js'
import { QuotaGate } from './quota-gate.js'

const decode = createDecoder({ payloadSchemas: { find: () => null } })
const quota = (over: Partial<Quota> = {}): Quota => ({
  maxEventsPerS: null,
  maxBytesPerS: null,
  overQuota: 'delay',
  ...over
})

interface Setup extends Partial<IntakeLimits> {
  /** What the queue has seen before the intake begins. */
  readonly before?: (queue: MemoryQueue) => void
  readonly sendLimits?: Partial<SendLimits>
}

function setup(
  t: Test,
  quotas: Record<string, Quota>,
  { before = () => undefined, sendLimits = {}, ...over }: Setup = {}
) {
  const clock = createManualClock()
  const store = createMemoryEventStore({ clients: ['noisy', 'quiet'], eventTypes: ['type'] })
  const queue = createMemoryQueue({ clock, visibilityTimeoutS: 60, maxReceiveCount: 3 })
  before(queue)
  const sentAgain: OutgoingMessage[] = []
  const unsendable = { is: false }
  const sendFailures: string[] = []
  const heard: string[] = []
  const stored = { noisy: 0, quiet: 0 }
  const rejected: string[] = []
  const byClient = new Map(Object.entries(quotas))
  const writer: Pick<QueueWriter, 'send' | 'limits'> = {
    limits: { ...queue.limits, ...sendLimits },
    send(messages) {
      const code = sendFailures.shift()
      if (code !== undefined)
        return Promise.resolve(messages.map(() => ({ code, retryable: true })))
      if (unsendable.is) {
        const outcomes = messages.map(() => ({ code: 'MessageTooLong', retryable: false }))
        return new Promise(resolve => clock.after(2_000, () => resolve(outcomes)))
      }
      sentAgain.push(...messages)
      return queue.send(messages)
    }
  }
  const gate = {
    rules: {
      weightOf: () => 1,
      hasQuotas: true,
      quotaOf: (client: string) => byClient.get(client) ?? null
    },
    writer,
    clock,
    random: () => 0.5,
    observer: {
      sentLater: (entries: number) => heard.push(`sent later ${entries}`),
      sendFailed: (code: string) => heard.push(`send failed ${code}`)
    }
  }
  const intake = new Intake<ValidEvent, EventRejection>({
    ...EQUAL_CLIENTS,
    queue,
    decode,
    admission: desk => new QuotaGate(gate, desk),
    store,
    clock,
    random: () => 0.5,
    limits: {
      batch: { maxMessages: 1_000, maxBytes: 1_000_000, lingerMs: 0, busyMessages: 100 },
      maxInFlightMessages: 400,
      maxInFlightBytes: 4_000_000,
      settleConcurrency: 8,
      settleLingerMs: 1,
      ...over
    },
    journal: SILENT_JOURNAL,
    suspectRecord: NO_SUSPECTS,
    observer: {
      ...SILENT_INTAKE,
      committed(entries, dispositions) {
        for (const [index, entry] of entries.entries()) {
          if (dispositions[index] === 'stored') stored[clientOf(entry) as 'noisy' | 'quiet'] += 1
          else rejected.push(dispositions[index] ?? '')
        }
      }
    }
  })
  t.teardown(async () => {
    const stopped = intake.stop(1_000)
    await clock.advanceAsync(2_000)
    await stopped
  })
  const send = async (client: string, count: number, eventId?: string) => {
    for (let at = 0; at < count; at++) {
      const id = eventId === undefined ? {} : { event_id: `${eventId}-${at}` }
      await queue.send([
        { body: JSON.stringify({ client_id: client, event_type: 'type', message: 'x', ...id }) }
      ])
    }
  }
  const pass = async (ms: number) => {
    for (let at = 0; at < ms; at += 20) await clock.advanceAsync(20)
  }
  return {
    clock,
    store,
    queue,
    intake,
    sentAgain,
    sendFailures,
    unsendable,
    heard,
    stored,
    rejected,
    byClient,
    send,
    pass
  }
}

t.test(
  'reject: a second’s worth is stored, the rest refused; other clients are unharmed',
  async t => {
    const { send, pass, stored, rejected, queue } = setup(t, {
      noisy: quota({ maxEventsPerS: 10, overQuota: 'reject' })
    })
    await send('noisy', 50)
    await send('quiet', 50)
    await pass(200)
    t.equal(stored.quiet, 50)
    t.ok(stored.noisy >= 10 && stored.noisy <= 13, `${stored.noisy} are stored`)
    t.equal(rejected.length, 50 - stored.noisy)
    t.ok(rejected.every(reason => reason === 'over-quota'))
    t.equal(queue.messages().length, 0)
  }
)

t.test('delay: messages over quota wait and are stored at its rate, none lost', async t => {
  const { send, pass, stored, queue, intake, sentAgain } = setup(t, {
    noisy: quota({ maxEventsPerS: 10 })
  })
  await send('noisy', 60)
  await send('quiet', 60)
  await pass(100)
  t.equal(stored.quiet, 60, 'others go on at once')
  t.ok(stored.noisy <= 13)
  t.equal(intake.status.held, 60 - stored.noisy)
  await pass(2_000)
  t.ok(stored.noisy >= 28 && stored.noisy <= 34, `${stored.noisy} after two seconds`)
  t.ok(queue.messages().every(({ receiveCount }) => receiveCount === 1))
  await pass(4_000)
  t.equal(stored.noisy, 60)
  t.equal(queue.messages().length, 0)
  t.equal(sentAgain.length, 0)
})

t.test('bytes have a quota too, and a body larger than a second’s worth passes', async t => {
  const { send, pass, stored } = setup(t, { noisy: quota({ maxBytesPerS: 20 }) })
  await send('noisy', 2)
  await pass(500)
  t.equal(stored.noisy, 1)
  await pass(5_000)
  t.equal(stored.noisy, 2)
})

t.test('beyond the in-flight share delayed copies keep their origin, stored once', async t => {
  const { send, pass, stored, queue, intake, sentAgain, store } = setup(
    t,
    { noisy: quota({ maxEventsPerS: 10 }) },
    { maxInFlightMessages: 40 }
  )
  await send('noisy', 100)
  await send('quiet', 20)
  await pass(300)
  t.equal(stored.quiet, 20)
  t.ok(intake.status.held <= 10)
  t.ok(sentAgain.length >= 70, `${sentAgain.length} are sent again`)
  t.ok(
    sentAgain.every(({ delayS = 0, group }) => delayS >= 1 && delayS <= 900 && group === 'noisy')
  )
  const origins = sentAgain.map(({ origin }) => origin)
  t.equal(new Set(origins).size, origins.length)
  t.ok(
    origins.every(
      origin => origin !== undefined && !queue.messages().some(({ id }) => id === origin)
    ),
    'the originals are deleted'
  )
  await pass(20_000)
  t.equal(stored.noisy, 100)
  t.equal(store.rows.items.size, 120)
  t.same([queue.messages().length, queue.deadMessages().length], [0, 0])
})

t.test(
  'a queue that refuses copies keeps the originals: sends are repeated, none lost',
  async t => {
    const { send, pass, stored, sendFailures, heard, queue } = setup(
      t,
      { noisy: quota({ maxEventsPerS: 10 }) },
      { maxInFlightMessages: 40 }
    )
    for (let n = 0; n < 5; n++) sendFailures.push('ServiceUnavailable')
    await send('noisy', 40)
    await pass(100)
    t.ok(heard.some(line => line === 'send failed ServiceUnavailable'))
    t.equal(queue.messages().length + stored.noisy, 40)
    await pass(20_000)
    t.equal(stored.noisy, 40)
    t.same([queue.messages().length, queue.deadMessages().length], [0, 0])
  }
)

t.test('a message whose copy is refused waits here and delays no suspect', async t => {
  // Received twice before and never settled: from its next receive, in a second, it is
  // examined alone.
  const suspect = JSON.stringify({
    client_id: 'quiet',
    event_type: 'type',
    message: 'received often'
  })
  const before = (queue: MemoryQueue): void => {
    void queue.send([{ body: suspect }])
    void queue.inspect.take(1, 0)
    void queue.inspect.take(1, 1)
  }
  const { send, pass, stored, queue, heard, unsendable } = setup(
    t,
    { noisy: quota({ maxEventsPerS: 1 }) },
    { maxInFlightMessages: 4, before }
  )
  unsendable.is = true
  await send('noisy', 4)
  await pass(1_200)
  t.same(heard, [], 'the queue has not answered, and the other one waits')
  await pass(10_000)
  t.ok(heard.includes('send failed MessageTooLong'))
  t.same(stored, { noisy: 4, quiet: 1 })
  t.equal(queue.messages().length, 0)
})

t.test('if the queue cannot delay, every message over quota waits here', async t => {
  const { send, pass, stored, queue, intake, sentAgain } = setup(
    t,
    { noisy: quota({ maxEventsPerS: 10 }) },
    { maxInFlightMessages: 40, sendLimits: { delayS: 0 } }
  )
  await send('noisy', 60)
  await pass(100)
  t.ok(intake.status.held > 10, 'more than its share of the room')
  await pass(10_000)
  t.equal(stored.noisy, 60)
  t.same([sentAgain.length, queue.messages().length], [0, 0])
})

t.test('a stop commits what is held, so no receive count is used up', async t => {
  const { send, pass, stored, intake, queue, clock } = setup(t, {
    noisy: quota({ maxEventsPerS: 1 })
  })
  await send('noisy', 20)
  await pass(100)
  t.ok(intake.status.held > 15)
  const stopped = intake.stop(5_000)
  await clock.advanceAsync(500)
  await stopped
  t.equal(stored.noisy, 20)
  t.equal(queue.messages().length, 0)
})

t.test('a lifted quota releases what it held', async t => {
  const { send, pass, stored, intake, byClient } = setup(t, { noisy: quota({ maxEventsPerS: 1 }) })
  await send('noisy', 20)
  await pass(100)
  byClient.delete('noisy')
  await pass(100)
  t.same([stored.noisy, intake.status.held], [20, 0])
})
