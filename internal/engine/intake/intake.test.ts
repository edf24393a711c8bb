import t from 'tap'
import { decodeReading, type Reading } from '../../lab/testing/tiny-system/reading.js'
import { reading, readingIdOf, setupIntake } from '../../lab/testing/tiny-system/reading-intake.js'
import type { Entry } from '../message/message.js'
import { QueueError } from '../queue/queue.js'
import type { AdmissionDesk } from './admission.js'
import { StoreError } from './store.js'

t.test('a valid item becomes a row, and only then leaves the queue', async t => {
  const { send, queue, stored, dispositions, intake } = setupIntake(t)
  await send(reading('a'), reading('b'))
  t.same(dispositions, ['stored', 'stored'])
  t.same(stored(), ['a', 'b'])
  t.same(queue.messages(), [])
  t.equal(intake.status.inFlight, 0)
  t.equal(intake.status.inFlightBytes, 0)
})

t.test('a refused body is kept and leaves the queue, and its batch-mates are stored', async t => {
  const { send, queue, rejections, dispositions } = setupIntake(t)
  await send(reading('a'), 'no reading', reading('a', { value: 1 }), reading('c'))
  t.same(dispositions, ['stored', 'malformed', 'conflict', 'stored'])
  t.same(
    rejections()
      .map(row => [row.rejection.reason, row.message.body])
      .sort(),
    [
      ['conflict', reading('a', { value: 1 })],
      ['malformed', 'no reading']
    ]
  )
  t.same(queue.messages(), [])
})

t.test('the same item twice in one receive is one row and two deletes', async t => {
  const { send, queue, stored, dispositions } = setupIntake(t)
  await send(reading('a'), reading('a'), reading('a', { value: 1 }))
  t.same(dispositions, ['stored', 'duplicate', 'conflict'])
  t.equal(stored().length, 1)
  t.same(queue.messages(), [])
})

t.test('an entry that is held back blocks no others until it is released', async t => {
  let desk: AdmissionDesk<Reading> | null = null
  const held: Entry<Reading>[] = []
  const { send, stored, queue, intake } = setupIntake(t, {
    admission: opened => {
      desk = opened
      return {
        get held() {
          return held.length
        },
        admit(entries) {
          const isLate = ({ message }: Entry<Reading>): boolean =>
            readingIdOf(message).startsWith('late')
          held.push(...entries.filter(isLate))
          return entries.filter(entry => !isLate(entry))
        },
        end: async () => held.splice(0)
      }
    }
  })
  await send(reading('late'), reading('a'), reading('late too'))
  t.same(stored(), ['a'])
  t.equal(intake.status.held, 2)
  desk!.release(held.splice(0, 1))
  await send(reading('b'))
  t.same(stored(), ['a', 'late', 'b'])
  const stopped = intake.stop(1_000)
  await send()
  await stopped
  t.same(stored(), ['a', 'late', 'b', 'late too'], 'held entries go on when the intake stops')
  t.same(queue.messages(), [])
})

t.test('a bug in validation neither stores nor deletes, and batch-mates go on', async t => {
  const { send, heard, queue, stored } = setupIntake(t, {
    decode: message => {
      if (message.body === 'bug') throw new Error('validator broke')
      return decodeReading(message)
    }
  })
  await send('bug', reading('a'))
  t.ok(heard.includes('left to queue Error: validator broke'))
  t.same(
    queue.messages().map(message => message.body),
    ['bug']
  )
  t.equal(stored().length, 1)
})

t.test('receiving pauses at the in-flight cap and goes on when there is room', async t => {
  let release = (): void => undefined
  const held = new Promise<void>(resolve => (release = resolve))
  const { send, queue, heard, clock, stored } = setupIntake(t, {
    limits: { maxInFlightMessages: 10 },
    store: memory => ({
      prepare: batch => held.then(() => memory.prepare(batch))
    })
  })
  for (let batch = 0; batch < 3; batch++)
    await send(...Array.from({ length: 10 }, (_, index) => reading(`${batch}-${index}`)))
  t.equal(queue.messages().filter(message => message.isInFlight).length, 10)
  t.ok(heard.includes('gate closed in-flight-messages'))
  release()
  await clock.advanceAsync(1_000)
  t.equal(stored().length, 30)
  t.same(queue.messages(), [])
})

t.test('bodies count against the in-flight cap in bytes', async t => {
  const { send, heard, queue } = setupIntake(t, {
    limits: { maxInFlightBytes: 2 * reading('a').length },
    store: () => ({
      prepare: () => new Promise(() => undefined),
      wasCommitted: () => Promise.resolve(false)
    })
  })
  await send(reading('a'), reading('b'))
  t.ok(heard.includes('gate closed in-flight-bytes'))
  await send(reading('c'))
  t.equal(queue.messages().filter(message => message.isInFlight).length, 2)
})

t.test('a delivery that arrives during its delete is deleted by its own handle', async t => {
  let release = (): void => undefined
  const held = new Promise<void>(resolve => (release = resolve))
  const { send, queue, clock, heard } = setupIntake(t, {
    queue: { visibilityTimeoutS: 5, onAck: () => held }
  })
  await send(reading('a'))
  await clock.advanceAsync(6_000)
  t.equal(queue.messages()[0]?.receiveCount, 2)
  release()
  await clock.advanceAsync(1_000)
  t.same(queue.messages(), [])
  t.same(
    heard.filter(line => line.startsWith('committed')),
    ['committed 1']
  )
})

t.test('a delete is given up after five failures; the redelivery is a duplicate', async t => {
  const { send, queue, heard, clock, intake } = setupIntake(t)
  for (let call = 0; call < 5; call++)
    queue.failNext('ack', new QueueError('ServiceUnavailable', 'try later'))
  await send(reading('a'))
  await clock.advanceAsync(20_000)
  t.equal(heard.filter(line => line === 'delete failed ServiceUnavailable 1').length, 4)
  t.ok(heard.includes('delete failed ServiceUnavailable 1 final'))
  t.equal(intake.status.inFlight, 0)
  await clock.advanceAsync(60_000)
  t.same(queue.messages(), [])
})

t.test(
  'a message redelivered in flight is stored once and deleted by its newest handle',
  async t => {
    let release = (): void => undefined
    const held = new Promise<void>(resolve => (release = resolve))
    const { send, queue, stored, clock, dispositions } = setupIntake(t, {
      queue: { visibilityTimeoutS: 5 },
      store: memory => ({
        prepare: batch => held.then(() => memory.prepare(batch))
      })
    })
    await send(reading('a'))
    await clock.advanceAsync(6_000)
    t.equal(queue.messages()[0]?.receiveCount, 2)
    release()
    await clock.advanceAsync(20)
    t.same(dispositions, ['stored'])
    t.equal(stored().length, 1)
    t.same(queue.messages(), [])
  }
)

t.test('failed deletes are tried again, alone; a stale handle is not', async t => {
  const { send, queue, heard, clock } = setupIntake(t)
  await queue.send([{ body: reading('a') }, { body: reading('b') }, { body: reading('c') }])
  const [first, second] = queue.messages()
  queue.failEntry('ack', { id: first!.id, code: 'InternalError', retryable: true })
  queue.failEntry('ack', { id: second!.id, code: 'ReceiptHandleIsInvalid', retryable: false })
  await send()
  t.ok(heard.includes('delete failed InternalError 1'))
  t.ok(heard.includes('delete failed ReceiptHandleIsInvalid 1 final'))
  await clock.advanceAsync(1_000)
  t.same(
    queue.messages().map(message => message.id),
    [second!.id],
    'the one with the stale handle is left to redelivery'
  )
})

t.test('a stale handle is replaced by a newer one that has arrived meanwhile', async t => {
  let release = (): void => undefined
  const held = new Promise<void>(resolve => (release = resolve))
  const { send, queue, clock, heard } = setupIntake(t, {
    queue: { visibilityTimeoutS: 5, onAck: () => held }
  })
  await queue.send([{ body: reading('a') }, { body: reading('b') }])
  queue.failEntry('ack', {
    id: queue.messages()[0]!.id,
    code: 'ReceiptHandleIsInvalid',
    retryable: false
  })
  await send()
  await clock.advanceAsync(6_000)
  t.same(
    queue.messages().map(message => message.receiveCount),
    [2, 2],
    'both came again while their delete was under way'
  )
  release()
  await clock.advanceAsync(1_000)
  t.ok(heard.includes('delete failed ReceiptHandleIsInvalid 1'), 'it is not final')
  t.same(queue.messages(), [])
})

t.test('a delete call that fails as a whole is tried again', async t => {
  const { send, queue, heard, clock } = setupIntake(t)
  queue.failNext('ack', new QueueError('ServiceUnavailable', 'try later'))
  await send(reading('a'), reading('b'))
  t.ok(heard.includes('delete failed ServiceUnavailable 2'))
  await clock.advanceAsync(1_000)
  t.same(queue.messages(), [])
})

t.test('stopping commits and settles what is in flight, and receives nothing more', async t => {
  let release = (): void => undefined
  const held = new Promise<void>(resolve => (release = resolve))
  const { send, queue, stored, intake, clock } = setupIntake(t, {
    store: memory => ({
      prepare: batch => held.then(() => memory.prepare(batch))
    })
  })
  await send(reading('a'))
  const stopped = intake.stop(10_000)
  await send(reading('b'))
  release()
  await clock.advanceAsync(20)
  await stopped
  t.same(stored(), ['a'])
  t.same(
    queue.messages().map(message => [message.body, message.receiveCount]),
    [[reading('b'), 0]]
  )
  t.equal(intake.stop(10_000), intake.stop(1), 'stopping twice is stopping once')
})

t.test('messages that cannot be settled in time go back to the queue at once', async t => {
  const { send, queue, intake, clock } = setupIntake(t, {
    store: () => ({
      prepare: () => Promise.reject(new StoreError('transient', '57P01', 'shutting down'))
    })
  })
  await send(reading('a'))
  const stopped = intake.stop(5_000)
  await clock.advanceAsync(5_000)
  await stopped
  t.same(
    queue.messages().map(message => message.isInFlight),
    [false]
  )
})
