import t from 'tap'
import { reading, readingIdOf, setupIntake } from '../../lab/testing/tiny-system/reading-intake.js'

t.test(
  'a message received three times is examined alone, while newcomers are held back',
  async t => {
    const releases: (() => void)[] = []
    const batches: string[][] = []
    const counts = new Map([['suspect', 3]])
    const { clock, queue, heard, intake } = setupIntake(t, {
      receiveCount: message => counts.get(readingIdOf(message)) ?? 1,
      store: memory => ({
        async prepare(batch) {
          batches.push(batch.map(({ message }) => readingIdOf(message)))
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
    t.same(batches, [['a', 'b']], 'its batch-mates go first')
    t.same(intake.status.gateReasons, ['suspects'], 'and nothing more is received')
    await release()
    t.same(batches.at(-1), ['suspect'])
    t.equal(
      heard.filter(line => line.startsWith('examining')).length,
      1,
      'the primary knows before it is examined'
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

t.test('suspects are examined one by one; one that killed two workers is left alone', async t => {
  const batches: string[][] = []
  const counts = new Map([
    ['killer', 5],
    ['unlucky', 4],
    ['died-once', 3],
    ['mate', 3]
  ])
  const { clock, queue, deaths, heard, stored, intake } = setupIntake(t, {
    receiveCount: message => counts.get(readingIdOf(message)) ?? 1,
    store: memory => ({
      prepare(batch) {
        batches.push(batch.map(({ message }) => readingIdOf(message)))
        return memory.prepare(batch)
      }
    })
  })
  deaths.set('memory-1', 2)
  deaths.set('memory-3', 1)
  await queue.send(['killer', 'unlucky', 'died-once', 'mate'].map(id => ({ body: reading(id) })))
  await clock.advanceAsync(30)
  t.same(batches, [['mate'], ['unlucky'], ['died-once']])
  t.match(heard.join(), /left to queue Error: more than one worker died while examining it/)
  t.equal(stored().length, 3)
  t.same(intake.status.gateReasons, [])
  t.same(
    queue.messages().map(({ id }) => id),
    ['memory-1']
  )
})

t.test('stopping waits for the suspects too', async t => {
  const { clock, queue, stored, intake } = setupIntake(t, { receiveCount: () => 3 })
  await queue.send(['a', 'b', 'c'].map(id => ({ body: reading(id) })))
  await clock.advanceAsync(0)
  const stopped = intake.stop(5_000)
  await clock.advanceAsync(100)
  await stopped
  t.equal(stored().length, 3)
  t.same(queue.messages(), [])
})
