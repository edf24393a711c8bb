import t, { type Test } from 'tap'
import type { KeptRejection } from '../../lab/testing/kept-rows.js'
import { createManualClock, type ManualClock } from '../../lab/testing/manual-clock.js'
import {
  createMemoryQueue,
  type MemoryQueue,
  type MemoryQueueOptions
} from '../../lab/testing/memory-queue.js'
import type { MemoryStore } from '../../lab/testing/memory-store.js'
import {
  createMemoryReadingStore,
  decodeReading,
  formatReading,
  meterOf,
  type Reading,
  refuseReading
} from '../../lab/testing/tiny-system/reading.js'
import type { Disposition, Entry, ReceivedMessage } from '../message/message.js'
import { QueueError } from '../queue/queue.js'
import { type AdmissionDesk, admitAll } from './admission.js'
import { InFlight } from './in-flight.js'
import { Intake } from './intake.js'
import type { IntakeObserver } from './observer.js'
import type { IntakeLimits, IntakeOptions } from './options.js'
import { type Store, StoreError } from './store.js'

/** The body of a reading; tests that do not name a meter or value do not depend on it. */
const reading = (id: string, { meter = 'kitchen', value = 0 } = {}): string =>
  formatReading({ meter, id, value })
const idOf = ({ body }: ReceivedMessage): string => body.split(';')[1] ?? ''

interface Bundle {
  readonly clock: ManualClock
  readonly queue: MemoryQueue
  /** Ids of what is stored, in the order of the commits. */
  readonly stored: () => readonly string[]
  readonly rejections: () => readonly KeptRejection[]
  readonly intake: Intake<Reading>
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
  readonly decode?: IntakeOptions<Reading>['decode']
  readonly admission?: IntakeOptions<Reading>['admission']
  /** Takes the note of a transaction that is about to commit. */
  readonly announce?: (tx: string) => Promise<void>
  /** Stands before the memory store. */
  readonly store?: (memory: MemoryStore<Reading>) => Partial<Store<Reading>>
  /** Deliveries that the queue has counted, where it is not the first. */
  readonly receiveCount?: (message: ReceivedMessage) => number
}

function setup(t: Test, options: SetupOptions = {}): Bundle {
  const clock = createManualClock()
  const memory = createMemoryReadingStore()
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
  const observer: IntakeObserver<Reading> = {
    received: messages => heard.push(`received ${messages.length}`),
    committed: (entries: readonly Entry<Reading>[], all) => {
      for (const { message } of entries) kept.add(message.id)
      dispositions.push(...all)
      heard.push(`committed ${entries.length}`)
    },
    receiveFailed: error => heard.push(`receive failed ${error.code}`),
    deleteFailed: (code, entries, isFinal) =>
      heard.push(`delete failed ${code} ${entries}${isFinal ? ' final' : ''}`),
    extendFailed: (code, entries) => heard.push(`extend failed ${code} ${entries}`),
    storeFailed: (error, attempt) => heard.push(`store failed ${error.code} ${attempt}`),
    storeRecovered: () => heard.push('store recovered'),
    gateChanged: (isOpen, reasons) =>
      heard.push(isOpen ? 'gate open' : `gate closed ${reasons.join()}`),
    leftToQueue: (_id, error) => heard.push(`left to queue ${String(error)}`)
  }
  const { receiveCount = (message: ReceivedMessage) => message.receiveCount } = options
  const intake = new Intake({
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
    decode: options.decode ?? decodeReading,
    admission: options.admission ?? admitAll,
    turns: { lineOf: meterOf, weightOf: () => 1 },
    store: { ...memory, ...options.store?.(memory) },
    refuse: refuseReading,
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
      async committing(tx, all) {
        heard.push(`committing ${all.length}`)
        await options.announce?.(tx)
      },
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
    stored: () => Array.from(memory.rows.items.values(), ({ item }) => item.id),
    rejections: () => [...memory.rows.rejections.values()],
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

t.test('a valid item becomes a row, and only then leaves the queue', async t => {
  const { send, queue, stored, dispositions, intake } = setup(t)
  await send(reading('a'), reading('b'))
  t.same(dispositions, ['stored', 'stored'])
  t.same(stored(), ['a', 'b'])
  t.same(queue.messages(), [])
  t.equal(intake.status.inFlight, 0)
  t.equal(intake.status.inFlightBytes, 0)
})

t.test('a refused body is kept and leaves the queue, and its batch-mates are stored', async t => {
  const { send, queue, rejections, dispositions } = setup(t)
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
  const { send, queue, stored, dispositions } = setup(t)
  await send(reading('a'), reading('a'), reading('a', { value: 1 }))
  t.same(dispositions, ['stored', 'duplicate', 'conflict'])
  t.equal(stored().length, 1)
  t.same(queue.messages(), [])
})

t.test(
  'a database that is down closes the gate, deletes nothing, and is tried again until it answers',
  async t => {
    let isDown = true
    const { send, queue, stored, heard, clock, intake } = setup(t, {
      store: memory => ({
        prepare: batch =>
          isDown
            ? Promise.reject(new StoreError('transient', 'ECONNREFUSED', 'down'))
            : memory.prepare(batch)
      })
    })
    await send(reading('a'))
    t.same(heard.slice(0, 3), ['received 1', 'gate closed database', 'store failed ECONNREFUSED 1'])
    await send(reading('b'))
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
    t.equal(stored().length, 0)
    isDown = false
    await clock.advanceAsync(10_000)
    t.equal(stored().length, 2)
    t.same(queue.messages(), [])
    t.ok(heard.includes('store recovered'))
    t.equal(intake.status.isGateOpen, true)
  }
)

t.test('a database that is back with a data error opens the gate too', async t => {
  for (const bodies of [['cursed'], [reading('bad'), reading('a')]]) {
    let calls = 0
    const { send, intake, stored, clock } = setup(t, {
      store: memory => ({
        prepare(batch) {
          calls += 1
          if (calls === 1)
            return Promise.reject(new StoreError('transient', '57P01', 'shutting down'))
          const isBad = batch.some(
            ({ message, verdict }) =>
              message.body === 'cursed' || (verdict.kind === 'valid' && verdict.item.id === 'bad')
          )
          return isBad
            ? Promise.reject(new StoreError('data', '22P05', 'cannot hold'))
            : memory.prepare(batch)
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
    await send(reading('later'))
    t.ok(stored().includes('later'))
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
      const { send, stored, dispositions, heard, clock, queue } = setup(t, {
        store: memory => ({
          async prepare(batch) {
            calls += 1
            if (calls > 1) return memory.prepare(batch)
            const prepared = await memory.prepare(batch)
            const { commit, rollBack } = prepared
            return {
              ...prepared,
              async commit() {
                await (hasCommitted ? commit() : rollBack())
                throw new StoreError('transient', 'ECONNRESET', 'cut')
              }
            }
          }
        })
      })
      await send(reading('a'))
      await clock.advanceAsync(1_000)
      t.same(dispositions, ['stored'], why)
      t.equal(stored().length, 1)
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
    const { send, dispositions, stored, rejections, queue } = setup(t, {
      store: memory => ({
        prepare(batch) {
          statements += 1
          const isBad = batch.some(
            ({ verdict }) => verdict.kind === 'valid' && verdict.item.id === 'bad'
          )
          return isBad
            ? Promise.reject(new StoreError('data', '22P05', 'cannot hold'))
            : memory.prepare(batch)
        }
      })
    })
    await send(
      reading('a'),
      reading('b'),
      reading('bad'),
      reading('d'),
      reading('e'),
      reading('f'),
      reading('g'),
      reading('h')
    )
    t.same(
      dispositions.filter(one => one !== 'stored'),
      ['unstorable']
    )
    t.equal(stored().length, 7)
    t.same(
      rejections().map(({ message }) => idOf(message)),
      ['bad']
    )
    t.same(queue.messages(), [])
    t.ok(statements <= 2 * Math.log2(8) + 2, `${statements} statements`)
  }
)

t.test(
  'what not even a rejection can hold stays in the queue and does not stop the others',
  async t => {
    const { send, heard, queue, stored } = setup(t, {
      store: memory => ({
        prepare: batch =>
          batch.some(({ message }) => message.body === 'cursed')
            ? Promise.reject(new StoreError('data', '22021', 'cursed'))
            : memory.prepare(batch)
      })
    })
    await send('cursed', reading('a'))
    t.match(heard.at(-2) ?? heard.at(-1), /./)
    t.ok(heard.some(line => line.startsWith('left to queue')))
    t.same(
      queue.messages().map(message => message.body),
      ['cursed']
    )
    t.equal(stored().length, 1)
  }
)

t.test('what cannot be announced is rolled back, and announced again', async t => {
  const announcements: string[] = []
  const { clock, send, stored, heard, queue } = setup(t, {
    announce: async tx => {
      announcements.push(tx)
      if (announcements.length === 1) throw new Error('nobody hears')
    }
  })
  await send(reading('a'))
  t.same(stored(), [])
  t.same(
    heard.filter(line => line.startsWith('decided')),
    ['decided: rolled back']
  )
  await clock.advanceAsync(1_000)
  t.same(stored(), ['a'])
  t.equal(new Set(announcements).size, 2)
  t.same(queue.messages(), [])
})

t.test('an entry that is held back waits in nobody’s way until it is released', async t => {
  let desk: AdmissionDesk<Reading> | null = null
  const held: Entry<Reading>[] = []
  const { send, stored, queue, intake } = setup(t, {
    admission: opened => {
      desk = opened
      return {
        get held() {
          return held.length
        },
        admit(entries) {
          const isLate = ({ message }: Entry<Reading>): boolean => idOf(message).startsWith('late')
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
  t.same(stored(), ['a', 'late', 'b', 'late too'], 'what is left goes on when the intake ends')
  t.same(queue.messages(), [])
})

t.test('a row that cannot be stored, met after an outage, leaves the gate open', async t => {
  let attempts = 0
  const { clock, send, stored, rejections, heard, intake } = setup(t, {
    store: memory => ({
      async prepare(batch) {
        attempts++
        if (attempts === 1) throw new StoreError('transient', '57P01', 'the server stops')
        if (
          batch.some(
            ({ message, verdict }) => verdict.kind === 'valid' && message.body.includes('bad')
          )
        ) {
          throw new StoreError('data', '22P02', 'cannot be stored')
        }
        return memory.prepare(batch)
      }
    })
  })
  await send(reading('bad'), reading('good'))
  await clock.advanceAsync(1_000)
  t.same(stored(), ['good'])
  t.same(
    rejections().map(({ rejection }) => rejection.reason),
    ['unstorable']
  )
  t.equal(heard.filter(line => line === 'store recovered').length, 1)
  t.same(intake.status.gateReasons, [])
})

t.test('a batch that takes too long twice is halved, and nothing of it is refused', async t => {
  const sizes: number[] = []
  const { clock, send, stored, rejections, intake, heard } = setup(t, {
    store: memory => ({
      async prepare(batch) {
        sizes.push(batch.length)
        if (batch.length > 2)
          throw new StoreError('transient', '57014', 'canceling statement due to statement timeout')
        return memory.prepare(batch)
      }
    })
  })
  await send(reading('a'), reading('b'), reading('c'), reading('d'))
  await clock.advanceAsync(1_000)
  t.same(sizes, [4, 4, 2, 2])
  t.equal(stored().length, 4)
  t.same(rejections(), [])
  t.equal(heard.filter(line => line === 'store recovered').length, 1)
  t.same(intake.status.gateReasons, [])
})

t.test('one message that takes too long is tried until the server has time for it', async t => {
  let attempts = 0
  const { clock, send, stored, rejections } = setup(t, {
    store: memory => ({
      async prepare(batch) {
        attempts++
        if (attempts <= 6)
          throw new StoreError('transient', '57014', 'canceling statement due to statement timeout')
        return memory.prepare(batch)
      }
    })
  })
  await send(reading('a'))
  await clock.advanceAsync(20_000)
  t.equal(stored().length, 1)
  t.same(rejections(), [])
})

t.test(
  'a message received three times is examined alone: after all others have their outcome, with newcomers held back',
  async t => {
    const releases: (() => void)[] = []
    const batches: string[][] = []
    const counts = new Map([['suspect', 3]])
    const { clock, queue, heard, intake } = setup(t, {
      receiveCount: message => counts.get(idOf(message)) ?? 1,
      store: memory => ({
        async prepare(batch) {
          batches.push(batch.map(({ message }) => idOf(message)))
          await new Promise<void>(resolve => releases.push(resolve))
          return memory.prepare(batch)
        }
      })
    })
    const release = async (): Promise<void> => {
      releases.shift()?.()
      await clock.advanceAsync(30)
    }
    await queue.send(['a', 'suspect', 'b'].map(id => ({ body: reading(id) })))
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
    await queue.send([{ body: reading('c') }])
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
    const { clock, queue, deaths, heard, stored, intake } = setup(t, {
      receiveCount: message => counts.get(idOf(message)) ?? 1,
      store: memory => ({
        prepare(batch) {
          batches.push(batch.map(({ message }) => idOf(message)))
          return memory.prepare(batch)
        }
      })
    })
    deaths.set('memory-1', 2)
    deaths.set('memory-3', 1)
    await queue.send(['killer', 'unlucky', 'died-once', 'mate'].map(id => ({ body: reading(id) })))
    await clock.advanceAsync(30)
    t.same(batches, [['mate'], ['unlucky'], ['died-once']])
    t.match(heard.join(), /left to queue Error: it has ended a worker more than once/)
    t.equal(stored().length, 3)
    t.same(intake.status.gateReasons, [])
    t.same(
      queue.messages().map(({ id }) => id),
      ['memory-1']
    )
  }
)

t.test('stopping waits for the suspects too', async t => {
  const { clock, queue, stored, intake } = setup(t, { receiveCount: () => 3 })
  await queue.send(['a', 'b', 'c'].map(id => ({ body: reading(id) })))
  await clock.advanceAsync(0)
  const stopped = intake.stop(5_000)
  await clock.advanceAsync(100)
  await stopped
  t.equal(stored().length, 3)
  t.same(queue.messages(), [])
})

t.test('a bug in validation neither stores nor deletes, and batch-mates go on', async t => {
  const { send, heard, queue, stored } = setup(t, {
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
  const { send, queue, heard, clock, stored } = setup(t, {
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
  const { send, heard, queue } = setup(t, {
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

t.test('while a commit is under way the next batch forms behind it', async t => {
  const releases: (() => void)[] = []
  const { send, heard, clock } = setup(t, {
    store: memory => ({
      prepare: batch =>
        new Promise<void>(resolve => releases.push(resolve)).then(() => memory.prepare(batch))
    })
  })
  await send(reading('a'))
  await send(reading('b'))
  await send(reading('c'))
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
      Array.from({ length: 10 }, (_, index) => reading(`${name}-${index}`))
    const setupBusy = async (more: SetupOptions = {}) => {
      const releases: (() => void)[] = []
      const bundle = setup(t, {
        limits: { ...limits, ...more.limits },
        store: memory => ({
          prepare: batch =>
            new Promise<void>(resolve => releases.push(resolve)).then(() => memory.prepare(batch))
        })
      })
      await bundle.send(...ten('first'))
      await bundle.send(reading('second'))
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
    await lingering.send(reading('third'))
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
  'beside a noisy line the others have an express lane: they wait neither for its large batch nor for its linger',
  async t => {
    const releases: (() => void)[] = []
    const { send, clock, heard } = setup(t, {
      limits: {
        batch: { maxMessages: 1_000, maxBytes: 1_000_000, lingerMs: 50, busyMessages: 10 }
      },
      store: memory => ({
        prepare: batch =>
          new Promise<void>(resolve => releases.push(resolve)).then(() => memory.prepare(batch))
      })
    })
    const release = async (at: number): Promise<void> => {
      releases.splice(at, 1)[0]?.()
      await clock.advanceAsync(0)
    }
    const commits = (): string[] => heard.splice(0).filter(line => line.startsWith('committed'))
    const sendNoisy = async (...names: string[]): Promise<void> => {
      for (const name of names)
        await send(...Array.from({ length: 10 }, (_, index) => reading(`${name}-${index}`)))
    }
    const quiet = (id: string): string => reading(id, { meter: 'cellar' })

    await send(quiet('before'))
    await sendNoisy('a', 'b', 'c')
    await send(quiet('with them'))
    await release(0)
    t.same(commits(), ['committed 1'])
    t.equal(releases.length, 1, 'a batch with both is under way, and has shown who is noisy')
    await sendNoisy('d', 'e', 'f')
    await send(quiet('behind them'))
    t.equal(releases.length, 2, 'the quiet line’s item is under way too')
    await send('a body that is in nobody’s line')
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
      prepare: batch =>
        new Promise<void>(resolve => releases.push(resolve)).then(() => memory.prepare(batch))
    })
  })
  const quiet = (id: string): string => reading(id, { meter: 'cellar' })
  await send(quiet('before'))
  for (const name of ['a', 'b'])
    await send(...Array.from({ length: 10 }, (_, index) => reading(`${name}-${index}`)))
  releases.shift()?.()
  await clock.advanceAsync(20)
  await send(quiet('under way'))
  await send(quiet('waiting'), reading('waiting too'))
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
  await send(...Array.from({ length: 10 }, (_, index) => reading(`${index}`)))
  t.same(
    heard.filter(line => line.startsWith('committed')),
    ['committed 4', 'committed 4', 'committed 2']
  )
})

t.test('a batch is cut at its bytes, but one message always fits', async t => {
  const body = reading('0')
  const { send, heard } = setup(t, {
    limits: {
      batch: { maxMessages: 1_000, maxBytes: 2 * body.length, lingerMs: 50, busyMessages: 100 }
    }
  })
  await send(body, reading('1'), reading('2'), reading('3'.repeat(500)))
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
  }
)

t.test(
  'deletes that keep failing are given up after five attempts; redelivery finds a duplicate',
  async t => {
    const { send, queue, heard, clock, intake } = setup(t)
    for (let call = 0; call < 5; call++)
      queue.failNext('ack', new QueueError('ServiceUnavailable', 'try later'))
    await send(reading('a'))
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
    const { send, queue, stored, clock, dispositions } = setup(t, {
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

t.test('a stale handle is tried again as the newer one when that came in meanwhile', async t => {
  let release = (): void => undefined
  const held = new Promise<void>(resolve => (release = resolve))
  const { send, queue, clock, heard } = setup(t, {
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
  const { send, queue, heard, clock } = setup(t)
  queue.failNext('ack', new QueueError('ServiceUnavailable', 'try later'))
  await send(reading('a'), reading('b'))
  t.ok(heard.includes('delete failed ServiceUnavailable 2'))
  await clock.advanceAsync(1_000)
  t.same(queue.messages(), [])
})

t.test('stopping commits and settles what is in flight, and receives nothing more', async t => {
  let release = (): void => undefined
  const held = new Promise<void>(resolve => (release = resolve))
  const { send, queue, stored, intake, clock } = setup(t, {
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

t.test('what cannot be settled in time is given back to the queue at once', async t => {
  const { send, queue, intake, clock } = setup(t, {
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
