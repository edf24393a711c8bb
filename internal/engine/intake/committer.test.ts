import t from 'tap'
import { reading, readingIdOf, setupIntake } from '../../lab/testing/tiny-system/reading-intake.js'
import { StoreError } from './store.js'

t.test('a database that is down closes the gate, deletes nothing, and is retried', async t => {
  let isDown = true
  const { send, queue, stored, heard, clock, intake } = setupIntake(t, {
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
    'the heartbeat keeps messages in flight away from others'
  )
  t.equal(stored().length, 0)
  isDown = false
  await clock.advanceAsync(10_000)
  t.equal(stored().length, 2)
  t.same(queue.messages(), [])
  t.ok(heard.includes('store recovered'))
  t.equal(intake.status.isGateOpen, true)
})

t.test('a database that comes back with a data error opens the gate too', async t => {
  for (const bodies of [['cursed'], [reading('bad'), reading('a')]]) {
    let calls = 0
    const { send, intake, stored, clock } = setupIntake(t, {
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
      'each remaining row is written at its first attempt, or not at all'
    )
    await send(reading('later'))
    t.ok(stored().includes('later'))
  }
})

t.test('a lost COMMIT answer is resolved by asking the database', async t => {
  const rows = [
    { why: 'it had committed', hasCommitted: true, decided: 'decided: committed', inserts: 1 },
    { why: 'it had not', hasCommitted: false, decided: 'decided: rolled back', inserts: 2 }
  ]
  for (const { why, hasCommitted, decided, inserts } of rows) {
    let calls = 0
    const { send, stored, dispositions, heard, clock, queue } = setupIntake(t, {
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
})

t.test(
  'a row that the database cannot hold is found by halving; the others are stored',
  async t => {
    let statements = 0
    const { send, dispositions, stored, rejections, queue } = setupIntake(t, {
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
      rejections().map(({ message }) => readingIdOf(message)),
      ['bad']
    )
    t.same(queue.messages(), [])
    t.ok(statements <= 2 * Math.log2(8) + 2, `${statements} statements`)
  }
)

t.test(
  'a message that fails even as a rejection stays queued and does not stop others',
  async t => {
    const { send, heard, queue, stored } = setupIntake(t, {
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

t.test('a batch that cannot be announced is rolled back and announced again', async t => {
  const announcements: string[] = []
  const { clock, send, stored, heard, queue } = setupIntake(t, {
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

t.test('an unstorable row found after an outage leaves the gate open', async t => {
  let attempts = 0
  const { clock, send, stored, rejections, heard, intake } = setupIntake(t, {
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

t.test('a batch that times out twice is halved, and none of its rows is refused', async t => {
  const sizes: number[] = []
  const { clock, send, stored, rejections, intake, heard } = setupIntake(t, {
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

t.test('a single message that times out is retried until the server has time for it', async t => {
  let attempts = 0
  const { clock, send, stored, rejections } = setupIntake(t, {
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
