import t, { type Test } from 'tap'
import { EQUAL_CLIENTS } from '../../lab/testing/equal-clients.js'
import { createManualClock, type ManualClock } from '../../lab/testing/manual-clock.js'
import {
  createMemoryQueue,
  type MemoryQueue,
  type MemoryQueueOptions
} from '../../lab/testing/memory-queue.js'
import { createMemoryStore, type MemoryStore } from '../../lab/testing/memory-store.js'
import { createDecoder } from '../../systems/events/event/decode.js'
import type { Disposition, Entry, ReceivedMessage, Verdict } from '../message/message.js'
import { QueueError } from '../queue/queue.js'
import { InFlight } from './in-flight.js'
import { Intake, type IntakeLimits, type IntakeObserver } from './intake.js'
import { type Store, StoreError } from './store.js'

const decode = createDecoder({ payloadSchemas: { find: () => null } })
const event = (id: string, over: object = {}): string =>
  JSON.stringify({
    event_type: 'monitor-app',
    client_id: 'client-1',
    message: { text: id },
    event_id: id,
    ...over
  })

interface Bundle {
  readonly clock: ManualClock
  readonly queue: MemoryQueue
  readonly memory: MemoryStore
  readonly intake: Intake
  /** What the observer and the journal heard, in order. */
  readonly heard: string[]
  readonly dispositions: Disposition[]
  /** Deaths of workers that the primary remembers, by message id. */
  readonly deaths: Map<string, number>
  readonly send: (...bodies: string[]) => Promise<void>
}

interface SetupOptions {
  readonly limits?: Partial<IntakeLimits>
  readonly queue?: Partial<MemoryQueueOptions>
  readonly decode?: (message: Parameters<typeof decode>[0]) => Verdict
  /** Stands before the memory store. */
  readonly store?: (memory: MemoryStore) => Partial<Store>
  /** Deliveries that the queue has counted, where it is not the first. */
  readonly receiveCount?: (message: ReceivedMessage) => number
}

function setup(t: Test, options: SetupOptions = {}): Bundle {
  const clock = createManualClock()
  const memory = createMemoryStore({
    clients: ['client-1', 'client-2'],
    eventTypes: ['monitor-app']
  })
  const heard: string[] = []
  const dispositions: Disposition[] = []
  const deaths = new Map<string, number>()
  const queue = createMemoryQueue({
    clock,
    visibilityTimeoutS: 60,
    // Invariant I5, at every delete of every test in this file: what is deleted has its
    // row already.
    onAck: receipts => {
      for (const { id } of receipts)
        t.ok(isKept(id), `${id} is stored or rejected before it is deleted`)
    },
    ...options.queue
  })
  const kept = new Set<string>()
  const isKept = (id: string): boolean => kept.has(id)
  const observer: IntakeObserver = {
    received: messages => heard.push(`received ${messages.length}`),
    committed: (entries: readonly Entry[], all) => {
      for (const { message } of entries) kept.add(message.id)
      dispositions.push(...all)
      heard.push(`committed ${entries.length}`)
    },
    receiveFailed: error => heard.push(`receive failed ${error.code}`),
    deleteFailed: (code, entries, isFinal) =>
      heard.push(`delete failed ${code} ${entries}${isFinal ? ' final' : ''}`),
    extendFailed: (code, entries) => heard.push(`extend failed ${code} ${entries}`),
    sentLater: entries => heard.push(`sent later ${entries}`),
    sendFailed: (code, entries) => heard.push(`send failed ${code} ${entries}`),
    storeFailed: (error, attempt) => heard.push(`store failed ${error.code} ${attempt}`),
    storeRecovered: () => heard.push('store recovered'),
    gateChanged: (isOpen, reasons) =>
      heard.push(isOpen ? 'gate open' : `gate closed ${reasons.join()}`),
    leftToQueue: (_id, error) => heard.push(`left to queue ${String(error)}`)
  }
  const { receiveCount = (message: ReceivedMessage) => message.receiveCount } = options
  const intake = new Intake({
    ...EQUAL_CLIENTS,
    queue: {
      ...queue,
      // A test may have a queue that forgets sooner than the heartbeat extends.
      leases: { ...queue.leases, seconds: 60 },
      receive: receiveOptions =>
        queue.receive({
          ...receiveOptions,
          deliver: messages =>
            receiveOptions.deliver(
              messages.map(message => ({ ...message, receiveCount: receiveCount(message) }))
            )
        })
    },
    store: { ...memory, ...options.store?.(memory) },
    decode: options.decode ?? decode,
    clock,
    random: () => 0.5,
    limits: {
      batch: { maxMessages: 1_000, maxBytes: 1_000_000, lingerMs: 50, busyMessages: 100 },
      maxInFlightMessages: 100,
      maxInFlightBytes: 1_000_000,
      settleConcurrency: 2,
      settleLingerMs: 10,
      ...options.limits
    },
    journal: {
      committing: async (_tx, all) => void heard.push(`committing ${all.length}`),
      committed: () => heard.push('decided: committed'),
      rolledBack: () => heard.push('decided: rolled back')
    },
    suspectRecord: {
      examining: async id => void heard.push(`examining ${id ?? 'nobody'}`),
      deaths: id => deaths.get(id) ?? 0
    },
    observer
  })
  t.teardown(async () => {
    const stopped = intake.stop(1_000)
    await clock.advanceAsync(2_000)
    await stopped
  })
  return {
    clock,
    queue,
    memory,
    intake,
    heard,
    dispositions,
    deaths,
    send: async (...bodies) => {
      await queue.send(bodies.map(body => ({ body })))
      await clock.advanceAsync(20)
    }
  }
}

t.test('a valid event becomes a row, and only then leaves the queue', async t => {
  const { send, queue, memory, dispositions, intake } = setup(t)
  await send(event('a'), event('b'))
  t.same(dispositions, ['stored', 'stored'])
  t.same(
    memory.messages.map(row => [row.clientId, row.messageId, row.payload]),
    [
      ['client-1', 'a', '{"text":"a"}'],
      ['client-1', 'b', '{"text":"b"}']
    ]
  )
  t.same(queue.messages(), [])
  t.equal(intake.status.inFlight, 0)
  t.equal(intake.status.inFlightBytes, 0)
})

t.test(
  'a refused event is kept with its body and leaves the queue, and its batch-mates are stored',
  async t => {
    const { send, queue, memory, dispositions } = setup(t)
    await send(event('a'), 'not json', event('b', { client_id: 'nobody' }), event('c'))
    t.same(dispositions, ['stored', 'not-json', 'unknown-client', 'stored'])
    t.same(memory.rejections.map(row => [row.reason, row.body]).sort(), [
      ['not-json', 'not json'],
      ['unknown-client', event('b', { client_id: 'nobody' })]
    ])
    t.same(queue.messages(), [])
  }
)

t.test('the same event twice in one receive is one row and two deletes', async t => {
  const { send, queue, memory, dispositions } = setup(t)
  await send(event('a'), event('a'), event('a', { message: 'another' }))
  t.same(dispositions, ['stored', 'duplicate', 'conflict'])
  t.equal(memory.messages.length, 1)
  t.same(queue.messages(), [])
})

t.test(
  'a database that is down closes the gate, deletes nothing, and is tried again until it answers',
  async t => {
    let isDown = true
    const { send, queue, memory, heard, clock, intake } = setup(t, {
      store: memory => ({
        insert: (batch, onPrepared) =>
          isDown
            ? Promise.reject(new StoreError('transient', 'ECONNREFUSED', 'down'))
            : memory.insert(batch, onPrepared)
      })
    })
    await send(event('a'))
    t.same(heard.slice(0, 3), ['received 1', 'gate closed database', 'store failed ECONNREFUSED 1'])
    await send(event('b'))
    await clock.advanceAsync(600_000)
    t.equal(intake.status.isGateOpen, false)
    t.same(
      queue.messages().map(message => message.receiveCount),
      [1, 1],
      'ten minutes of outage cost no further receive'
    )
    t.ok(
      queue.messages().every(message => message.isInFlight),
      'the heartbeat keeps what is in flight away from others'
    )
    t.equal(memory.messages.length, 0)
    isDown = false
    await clock.advanceAsync(10_000)
    t.equal(memory.messages.length, 2)
    t.same(queue.messages(), [])
    t.ok(heard.includes('store recovered'))
    t.equal(intake.status.isGateOpen, true)
  }
)

t.test('a database that is back with a data error opens the gate too', async t => {
  for (const bodies of [['cursed'], [event('bad'), event('a')]]) {
    let calls = 0
    const { send, intake, memory, clock } = setup(t, {
      store: memory => ({
        insert(batch, onPrepared) {
          calls += 1
          if (calls === 1)
            return Promise.reject(new StoreError('transient', '57P01', 'shutting down'))
          const isBad = batch.some(
            ({ message, verdict }) =>
              message.body === 'cursed' ||
              (verdict.kind === 'valid' && verdict.event.messageId === 'bad')
          )
          return isBad
            ? Promise.reject(new StoreError('data', '22P05', 'cannot hold'))
            : memory.insert(batch, onPrepared)
        }
      })
    })
    await send(...bodies)
    await clock.advanceAsync(1_000)
    t.same(
      intake.status.gateReasons,
      [],
      'each row that is left is written at its first attempt, or not at all'
    )
    await send(event('later'))
    t.ok(memory.messages.some(row => row.messageId === 'later'))
  }
})

t.test(
  'when the answer to COMMIT is lost, the database is asked, and a stored row is not counted as a duplicate',
  async t => {
    const rows = [
      { why: 'it had committed', hasCommitted: true, decided: 'decided: committed', inserts: 1 },
      { why: 'it had not', hasCommitted: false, decided: 'decided: rolled back', inserts: 2 }
    ]
    for (const { why, hasCommitted, decided, inserts } of rows) {
      let calls = 0
      const { send, memory, dispositions, heard, clock, queue } = setup(t, {
        store: memory => ({
          async insert(batch, onPrepared) {
            calls += 1
            if (calls > 1) return memory.insert(batch, onPrepared)
            if (hasCommitted) await memory.insert(batch, onPrepared)
            else await onPrepared({ tx: 'lost', dispositions: ['stored'] })
            throw new StoreError('transient', 'ECONNRESET', 'cut')
          }
        })
      })
      await send(event('a'))
      await clock.advanceAsync(1_000)
      t.same(dispositions, ['stored'], why)
      t.equal(memory.messages.length, 1)
      t.equal(calls, inserts)
      t.ok(heard.includes(decided))
      t.same(queue.messages(), [])
    }
  }
)

t.test(
  'a row that the database cannot hold is found by halving; the others are stored',
  async t => {
    let statements = 0
    const { send, dispositions, memory, queue } = setup(t, {
      store: memory => ({
        insert(batch, onPrepared) {
          statements += 1
          const isBad = batch.some(
            ({ verdict }) => verdict.kind === 'valid' && verdict.event.messageId === 'bad'
          )
          return isBad
            ? Promise.reject(new StoreError('data', '22P05', 'cannot hold'))
            : memory.insert(batch, onPrepared)
        }
      })
    })
    await send(
      event('a'),
      event('b'),
      event('bad'),
      event('d'),
      event('e'),
      event('f'),
      event('g'),
      event('h')
    )
    t.same(
      dispositions.filter(one => one !== 'stored'),
      ['unstorable']
    )
    t.equal(memory.messages.length, 7)
    t.equal(memory.rejections[0]?.messageId, 'bad')
    t.same(queue.messages(), [])
    t.ok(statements <= 2 * Math.log2(8) + 2, `${statements} statements`)
  }
)

t.test(
  'what not even a rejection can hold stays in the queue and does not stop the others',
  async t => {
    const { send, heard, queue, memory } = setup(t, {
      store: memory => ({
        insert: (batch, onPrepared) =>
          batch.some(({ message }) => message.body === 'cursed')
            ? Promise.reject(new StoreError('data', '22021', 'cursed'))
            : memory.insert(batch, onPrepared)
      })
    })
    await send('cursed', event('a'))
    t.match(heard.at(-2) ?? heard.at(-1), /./)
    t.ok(heard.some(line => line.startsWith('left to queue')))
    t.same(
      queue.messages().map(message => message.body),
      ['cursed']
    )
    t.equal(memory.messages.length, 1)
  }
)

t.test('the database’s words about a row go into its rejection, and not without end', async t => {
  const { send, memory } = setup(t, {
    store: memory => ({
      insert: (batch, onPrepared) =>
        batch.some(({ verdict }) => verdict.kind === 'valid')
          ? Promise.reject(new StoreError('data', 'P0001', `refused: ${'x'.repeat(70_000)}`))
          : memory.insert(batch, onPrepared)
    })
  })
  await send(event('a'))
  const [violation] = memory.rejections[0]?.violations ?? []
  t.match(
    violation?.message,
    /^PostgreSQL cannot hold this event \(SQLSTATE P0001\): refused: x+…$/
  )
  t.equal(violation?.message.length, 500)
})

t.test('a row that cannot be stored, met after an outage, leaves the gate open', async t => {
  let attempts = 0
  const { clock, send, memory, heard, intake } = setup(t, {
    store: memory => ({
      async insert(batch, onPrepared) {
        attempts++
        if (attempts === 1) throw new StoreError('transient', '57P01', 'the server stops')
        if (
          batch.some(
            ({ message, verdict }) => verdict.kind === 'valid' && message.body.includes('bad')
          )
        ) {
          throw new StoreError('data', '22P02', 'cannot be stored')
        }
        return memory.insert(batch, onPrepared)
      }
    })
  })
  await send(event('bad'), event('good'))
  await clock.advanceAsync(1_000)
  t.same(
    memory.messages.map(row => row.messageId),
    ['good']
  )
  t.same(
    memory.rejections.map(row => row.reason),
    ['unstorable']
  )
  t.equal(heard.filter(line => line === 'store recovered').length, 1)
  t.same(intake.status.gateReasons, [])
})

t.test('a batch that takes too long twice is halved, and nothing of it is refused', async t => {
  const sizes: number[] = []
  const { clock, send, memory, intake, heard } = setup(t, {
    store: memory => ({
      async insert(batch, onPrepared) {
        sizes.push(batch.length)
        if (batch.length > 2)
          throw new StoreError('transient', '57014', 'canceling statement due to statement timeout')
        return memory.insert(batch, onPrepared)
      }
    })
  })
  await send(event('a'), event('b'), event('c'), event('d'))
  await clock.advanceAsync(1_000)
  t.same(sizes, [4, 4, 2, 2])
  t.equal(memory.messages.length, 4)
  t.same(memory.rejections, [])
  t.equal(heard.filter(line => line === 'store recovered').length, 1)
  t.same(intake.status.gateReasons, [])
})

t.test('one message that takes too long is tried until the server has time for it', async t => {
  let attempts = 0
  const { clock, send, memory } = setup(t, {
    store: memory => ({
      async insert(batch, onPrepared) {
        attempts++
        if (attempts <= 6)
          throw new StoreError('transient', '57014', 'canceling statement due to statement timeout')
        return memory.insert(batch, onPrepared)
      }
    })
  })
  await send(event('a'))
  await clock.advanceAsync(20_000)
  t.equal(memory.messages.length, 1)
  t.same(memory.rejections, [])
})

t.test(
  'a message received three times is examined alone: after all others have their outcome, with newcomers held back',
  async t => {
    const releases: (() => void)[] = []
    const batches: string[][] = []
    const counts = new Map([['suspect', 3]])
    const idOf = ({ body }: ReceivedMessage): string =>
      (JSON.parse(body) as { event_id: string }).event_id
    const { clock, queue, heard, intake } = setup(t, {
      receiveCount: message => counts.get(idOf(message)) ?? 1,
      store: memory => ({
        async insert(batch, onPrepared) {
          batches.push(batch.map(({ message }) => idOf(message)))
          await new Promise<void>(resolve => releases.push(resolve))
          return memory.insert(batch, onPrepared)
        }
      })
    })
    const release = async (): Promise<void> => {
      releases.shift()?.()
      await clock.advanceAsync(30)
    }
    await queue.send(['a', 'suspect', 'b'].map(id => ({ body: event(id) })))
    await clock.advanceAsync(20)
    t.same(batches, [['a', 'b']], 'its mates go first')
    t.same(intake.status.gateReasons, ['suspects'], 'and nothing more is received')
    await release()
    t.same(batches.at(-1), ['suspect'])
    t.equal(
      heard.filter(line => line.startsWith('examining')).length,
      1,
      'the primary knows before it is looked at'
    )
    await release()
    t.same(intake.status.gateReasons, [])
    await queue.send([{ body: event('c') }])
    await clock.advanceAsync(20)
    t.same(batches.at(-1), ['c'])
    await release()
    t.same(
      heard.filter(line => line.startsWith('examining')),
      [`examining memory-2`, 'examining nobody']
    )
  }
)

t.test(
  'suspects are examined one by one, the least suspicious first, and what killed two workers is not touched again',
  async t => {
    const batches: string[][] = []
    const counts = new Map([
      ['killer', 5],
      ['unlucky', 4],
      ['died-once', 3],
      ['mate', 3]
    ])
    const idOf = ({ body }: ReceivedMessage): string =>
      (JSON.parse(body) as { event_id: string }).event_id
    const { clock, queue, deaths, heard, memory, intake } = setup(t, {
      receiveCount: message => counts.get(idOf(message)) ?? 1,
      store: memory => ({
        insert(batch, onPrepared) {
          batches.push(batch.map(({ message }) => idOf(message)))
          return memory.insert(batch, onPrepared)
        }
      })
    })
    deaths.set('memory-1', 2)
    deaths.set('memory-3', 1)
    await queue.send(['killer', 'unlucky', 'died-once', 'mate'].map(id => ({ body: event(id) })))
    await clock.advanceAsync(30)
    t.same(batches, [['mate'], ['unlucky'], ['died-once']])
    t.match(heard.join(), /left to queue Error: it has ended a worker more than once/)
    t.equal(memory.messages.length, 3)
    t.same(intake.status.gateReasons, [])
    t.same(
      queue.messages().map(({ id }) => id),
      ['memory-1']
    )
  }
)

t.test('stopping waits for the suspects too', async t => {
  const { clock, queue, memory, intake } = setup(t, { receiveCount: () => 3 })
  await queue.send(['a', 'b', 'c'].map(id => ({ body: event(id) })))
  await clock.advanceAsync(0)
  const stopped = intake.stop(5_000)
  await clock.advanceAsync(100)
  await stopped
  t.equal(memory.messages.length, 3)
  t.same(queue.messages(), [])
})

t.test('a bug in validation neither stores nor deletes, and batch-mates go on', async t => {
  const { send, heard, queue, memory } = setup(t, {
    decode: message => {
      if (message.body === 'bug') throw new Error('validator broke')
      return decode(message)
    }
  })
  await send('bug', event('a'))
  t.ok(heard.includes('left to queue Error: validator broke'))
  t.same(
    queue.messages().map(message => message.body),
    ['bug']
  )
  t.equal(memory.messages.length, 1)
})

t.test('receiving pauses at the in-flight cap and goes on when there is room', async t => {
  let release = (): void => undefined
  const held = new Promise<void>(resolve => (release = resolve))
  const { send, queue, heard, clock, memory } = setup(t, {
    limits: { maxInFlightMessages: 10 },
    store: memory => ({
      insert: (batch, onPrepared) => held.then(() => memory.insert(batch, onPrepared))
    })
  })
  for (let batch = 0; batch < 3; batch++)
    await send(...Array.from({ length: 10 }, (_, index) => event(`${batch}-${index}`)))
  t.equal(queue.messages().filter(message => message.isInFlight).length, 10)
  t.ok(heard.includes('gate closed in-flight-messages'))
  release()
  await clock.advanceAsync(1_000)
  t.equal(memory.messages.length, 30)
  t.same(queue.messages(), [])
})

t.test('bodies count against the in-flight cap in bytes', async t => {
  const { send, heard, queue } = setup(t, {
    limits: { maxInFlightBytes: 100 },
    store: () => ({
      insert: () => new Promise(() => undefined),
      wasCommitted: () => Promise.resolve(false)
    })
  })
  await send(event('a'), event('b'))
  t.ok(heard.includes('gate closed in-flight-bytes'))
  await send(event('c'))
  t.equal(queue.messages().filter(message => message.isInFlight).length, 2)
})

t.test('while a commit is under way the next batch forms behind it', async t => {
  const releases: (() => void)[] = []
  const { send, heard, clock } = setup(t, {
    store: memory => ({
      insert: (batch, onPrepared) =>
        new Promise<void>(resolve => releases.push(resolve)).then(() =>
          memory.insert(batch, onPrepared)
        )
    })
  })
  await send(event('a'))
  await send(event('b'))
  await send(event('c'))
  releases.shift()?.()
  await clock.advanceAsync(20)
  releases.shift()?.()
  await clock.advanceAsync(20)
  t.same(
    heard.filter(line => line.startsWith('committed')),
    ['committed 1', 'committed 2']
  )
})

t.test(
  'behind a large batch the next one waits for company, until its linger ends, it is full, or nothing more can come',
  async t => {
    const limits = {
      batch: { maxMessages: 20, maxBytes: 1_000_000, lingerMs: 50, busyMessages: 10 }
    }
    const commits = (heard: readonly string[]): string[] =>
      heard.filter(line => line.startsWith('committed'))
    const ten = (name: string): string[] =>
      Array.from({ length: 10 }, (_, index) => event(`${name}-${index}`))
    const setupBusy = async (more: SetupOptions = {}) => {
      const releases: (() => void)[] = []
      const bundle = setup(t, {
        limits: { ...limits, ...more.limits },
        store: memory => ({
          insert: (batch, onPrepared) =>
            new Promise<void>(resolve => releases.push(resolve)).then(() =>
              memory.insert(batch, onPrepared)
            )
        })
      })
      await bundle.send(...ten('first'))
      await bundle.send(event('second'))
      const release = async (): Promise<void> => {
        releases.shift()?.()
        await bundle.clock.advanceAsync(0)
      }
      await release()
      return { ...bundle, releases, release }
    }

    const lingering = await setupBusy()
    await lingering.clock.advanceAsync(49)
    t.equal(lingering.releases.length, 0, 'the second batch waits')
    await lingering.clock.advanceAsync(1)
    t.equal(lingering.releases.length, 1, 'until its linger is over')
    await lingering.release()
    t.same(commits(lingering.heard), ['committed 10', 'committed 1'])
    await lingering.send(event('third'))
    t.equal(lingering.releases.length, 1, 'behind a small batch nothing waits')
    await lingering.release()

    const filling = await setupBusy()
    await filling.send(...ten('more'))
    await filling.queue.send(ten('yet').map(body => ({ body })))
    await filling.clock.advanceAsync(0)
    t.equal(filling.releases.length, 1, 'a full batch leaves at once')
    await filling.release()
    await filling.clock.advanceAsync(50)
    await filling.release()
    t.same(commits(filling.heard), ['committed 10', 'committed 20', 'committed 1'])

    const closed = await setupBusy({ limits: { maxInFlightMessages: 11 } })
    t.equal(closed.releases.length, 1, 'with the gate closed nothing waits')
    await closed.release()
    for (const { clock } of [lingering, filling, closed]) await clock.advanceAsync(100)
  }
)

t.test(
  'beside a noisy client the others have an express lane: they wait neither for its large batch nor for company',
  async t => {
    const releases: (() => void)[] = []
    const { send, clock, heard } = setup(t, {
      limits: {
        batch: { maxMessages: 1_000, maxBytes: 1_000_000, lingerMs: 50, busyMessages: 10 }
      },
      store: memory => ({
        insert: (batch, onPrepared) =>
          new Promise<void>(resolve => releases.push(resolve)).then(() =>
            memory.insert(batch, onPrepared)
          )
      })
    })
    const release = async (at: number): Promise<void> => {
      releases.splice(at, 1)[0]?.()
      await clock.advanceAsync(0)
    }
    const commits = (): string[] => heard.splice(0).filter(line => line.startsWith('committed'))
    const sendNoisy = async (...names: string[]): Promise<void> => {
      for (const name of names)
        await send(...Array.from({ length: 10 }, (_, index) => event(`${name}-${index}`)))
    }
    const quiet = (id: string): string => event(id, { client_id: 'client-2' })

    await send(quiet('before'))
    await sendNoisy('a', 'b', 'c')
    await send(quiet('with them'))
    await release(0)
    t.same(commits(), ['committed 1'])
    t.equal(releases.length, 1, 'a batch with both is under way, and has shown who is noisy')
    await sendNoisy('d', 'e', 'f')
    await send(quiet('behind them'))
    t.equal(releases.length, 2, 'the quiet client’s event is under way too')
    await send('a body that names no client')
    await sendNoisy('g')
    await send(quiet('next'), quiet('and next'))
    t.equal(releases.length, 2, 'one batch at a time in each lane')
    await release(1)
    t.same(commits(), ['committed 1'])
    await release(1)
    t.same(commits(), ['committed 2'], 'what came meanwhile is the next batch')
    await release(0)
    t.same(commits(), ['committed 31'])
    await clock.advanceAsync(50)
    await release(0)
    t.same(commits(), ['committed 41'], 'with the body that nobody waits for')
    await clock.advanceAsync(100)
  }
)

t.test('a stop that comes to no end leaves what is in either lane to the queue', async t => {
  const releases: (() => void)[] = []
  const { send, intake, clock, heard, queue } = setup(t, {
    limits: { batch: { maxMessages: 1_000, maxBytes: 1_000_000, lingerMs: 0, busyMessages: 10 } },
    store: memory => ({
      insert: (batch, onPrepared) =>
        new Promise<void>(resolve => releases.push(resolve)).then(() =>
          memory.insert(batch, onPrepared)
        )
    })
  })
  const quiet = (id: string): string => event(id, { client_id: 'client-2' })
  await send(quiet('before'))
  for (const name of ['a', 'b'])
    await send(...Array.from({ length: 10 }, (_, index) => event(`${name}-${index}`)))
  releases.shift()?.()
  await clock.advanceAsync(20)
  await send(quiet('under way'))
  await send(quiet('waiting'), event('waiting too'))
  t.equal(releases.length, 2, 'a batch in each lane')
  const stopped = intake.stop(1_000)
  await clock.advanceAsync(1_000)
  await stopped
  t.same(
    heard.filter(line => line.startsWith('committed')),
    ['committed 1']
  )
  t.equal(queue.messages().length, 23)
  t.ok(queue.messages().every(({ isInFlight }) => !isInFlight))
})

t.test('a batch is cut at its limits', async t => {
  const { send, heard } = setup(t, {
    limits: { batch: { maxMessages: 4, maxBytes: 1_000_000, lingerMs: 50, busyMessages: 100 } }
  })
  await send(...Array.from({ length: 10 }, (_, index) => event(`${index}`)))
  t.same(
    heard.filter(line => line.startsWith('committed')),
    ['committed 4', 'committed 4', 'committed 2']
  )
})

t.test('a batch is cut at its bytes, but one message always fits', async t => {
  const body = event('0')
  const { send, heard } = setup(t, {
    limits: {
      batch: { maxMessages: 1_000, maxBytes: 2 * body.length, lingerMs: 50, busyMessages: 100 }
    }
  })
  await send(body, event('1'), event('2'), event('3', { message: 'x'.repeat(500) }))
  t.same(
    heard.filter(line => line.startsWith('committed')),
    ['committed 2', 'committed 1', 'committed 1']
  )
})

t.test(
  'a delivery that comes while the delete is under way is deleted by its own handle',
  async t => {
    let release = (): void => undefined
    const held = new Promise<void>(resolve => (release = resolve))
    const { send, queue, clock, heard } = setup(t, {
      queue: { visibilityTimeoutS: 5, onAck: () => held }
    })
    await send(event('a'))
    await clock.advanceAsync(6_000)
    t.equal(queue.messages()[0]?.receiveCount, 2)
    release()
    await clock.advanceAsync(1_000)
    t.same(queue.messages(), [])
    t.same(
      heard.filter(line => line.startsWith('committed')),
      ['committed 1']
    )
  }
)

t.test(
  'deletes that keep failing are given up after five attempts; redelivery finds a duplicate',
  async t => {
    const { send, queue, heard, clock, intake } = setup(t)
    for (let call = 0; call < 5; call++)
      queue.failNext('ack', new QueueError('ServiceUnavailable', 'try later'))
    await send(event('a'))
    await clock.advanceAsync(20_000)
    t.equal(heard.filter(line => line === 'delete failed ServiceUnavailable 1').length, 4)
    t.ok(heard.includes('delete failed ServiceUnavailable 1 final'))
    t.equal(intake.status.inFlight, 0)
    await clock.advanceAsync(60_000)
    t.same(queue.messages(), [])
  }
)

t.test(
  'a message that comes again while in flight is written once and deleted by its newest handle',
  async t => {
    let release = (): void => undefined
    const held = new Promise<void>(resolve => (release = resolve))
    const { send, queue, memory, clock, dispositions } = setup(t, {
      queue: { visibilityTimeoutS: 5 },
      store: memory => ({
        insert: (batch, onPrepared) => held.then(() => memory.insert(batch, onPrepared))
      })
    })
    await send(event('a'))
    await clock.advanceAsync(6_000)
    t.equal(queue.messages()[0]?.receiveCount, 2)
    release()
    await clock.advanceAsync(20)
    t.same(dispositions, ['stored'])
    t.equal(memory.messages.length, 1)
    t.same(queue.messages(), [])
  }
)

t.test('a delivery that arrives after a newer one of its message does not take its place', t => {
  const inFlight = new InFlight()
  const delivery = (receiveCount: number): ReceivedMessage => ({
    id: 'a',
    token: `handle ${receiveCount}`,
    body: '',
    bytes: 0,
    receiveCount,
    sentAtMs: 0
  })
  t.equal(inFlight.add(delivery(2), 100), true)
  t.equal(inFlight.add(delivery(1), 200), false, 'it was held up on its way')
  t.equal(inFlight.receipt('a')?.token, 'handle 2')
  t.same(
    inFlight.takeDue(100, 200, 10).length,
    1,
    'and says nothing of how long the newer one stays invisible'
  )
  t.equal(inFlight.add(delivery(3), 300), false)
  t.equal(inFlight.receipt('a')?.token, 'handle 3')
  t.end()
})

t.test('failed deletes are tried again, alone; a stale handle is not', async t => {
  const { send, queue, heard, clock } = setup(t)
  await queue.send([{ body: event('a') }, { body: event('b') }, { body: event('c') }])
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

t.test('a stale handle is tried again as the newer one when that came in meanwhile', async t => {
  let release = (): void => undefined
  const held = new Promise<void>(resolve => (release = resolve))
  const { send, queue, clock, heard } = setup(t, {
    queue: { visibilityTimeoutS: 5, onAck: () => held }
  })
  await queue.send([{ body: event('a') }, { body: event('b') }])
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
  const { send, queue, heard, clock } = setup(t)
  queue.failNext('ack', new QueueError('ServiceUnavailable', 'try later'))
  await send(event('a'), event('b'))
  t.ok(heard.includes('delete failed ServiceUnavailable 2'))
  await clock.advanceAsync(1_000)
  t.same(queue.messages(), [])
})

t.test('stopping commits and settles what is in flight, and receives nothing more', async t => {
  let release = (): void => undefined
  const held = new Promise<void>(resolve => (release = resolve))
  const { send, queue, memory, intake, clock } = setup(t, {
    store: memory => ({
      insert: (batch, onPrepared) => held.then(() => memory.insert(batch, onPrepared))
    })
  })
  await send(event('a'))
  const stopped = intake.stop(10_000)
  await send(event('b'))
  release()
  await clock.advanceAsync(20)
  await stopped
  t.same(
    memory.messages.map(row => row.messageId),
    ['a']
  )
  t.same(
    queue.messages().map(message => [message.body, message.receiveCount]),
    [[event('b'), 0]]
  )
  t.equal(intake.stop(10_000), intake.stop(1), 'stopping twice is stopping once')
})

t.test('what cannot be settled in time is given back to the queue at once', async t => {
  const { send, queue, intake, clock } = setup(t, {
    store: () => ({
      insert: () => Promise.reject(new StoreError('transient', '57P01', 'shutting down'))
    })
  })
  await send(event('a'))
  const stopped = intake.stop(5_000)
  await clock.advanceAsync(5_000)
  await stopped
  t.same(
    queue.messages().map(message => message.isInFlight),
    [false]
  )
})
