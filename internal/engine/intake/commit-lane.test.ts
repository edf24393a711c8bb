import t from 'tap'
import {
  type ReadingIntakeOptions,
  reading,
  setupIntake
} from '../../lab/testing/tiny-system/reading-intake.js'

t.test('while a commit is under way the next batch forms behind it', async t => {
  const releases: (() => void)[] = []
  const { send, heard, clock } = setupIntake(t, {
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
  'after a large batch the next one lingers, unless it is full or nothing can come',
  async t => {
    const limits = {
      batch: { maxMessages: 20, maxBytes: 1_000_000, lingerMs: 50, busyMessages: 10 }
    }
    const commits = (heard: readonly string[]): string[] =>
      heard.filter(line => line.startsWith('committed'))
    const ten = (name: string): string[] =>
      Array.from({ length: 10 }, (_, index) => reading(`${name}-${index}`))
    const setupBusy = async (more: ReadingIntakeOptions = {}) => {
      const releases: (() => void)[] = []
      const bundle = setupIntake(t, {
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
    t.equal(lingering.releases.length, 1, 'after a small batch nothing waits')
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

t.test('other lines wait neither for a noisy line’s large batch nor for its linger', async t => {
  const releases: (() => void)[] = []
  const { send, clock, heard } = setupIntake(t, {
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
  t.equal(releases.length, 1, 'a batch with both is under way, and shows which line is noisy')
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
  t.same(commits(), ['committed 2'], 'what arrived meanwhile is the next batch')
  await release(0)
  t.same(commits(), ['committed 31'])
  await clock.advanceAsync(50)
  await release(0)
  t.same(commits(), ['committed 41'], 'with the body that nobody waits for')
  await clock.advanceAsync(100)
})

t.test('a stop that runs out of time leaves the messages of both lanes to the queue', async t => {
  const releases: (() => void)[] = []
  const { send, intake, clock, heard, queue } = setupIntake(t, {
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
  const { send, heard } = setupIntake(t, {
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
  const { send, heard } = setupIntake(t, {
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
