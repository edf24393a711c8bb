import t from 'tap'
import { Scheduler } from './scheduler.js'

t.test('events run in order of time, then of creation; cancelled ones never run', async t => {
  const scheduler = new Scheduler()
  const ran: string[] = []
  const note = (name: string) => () => ran.push(`${name}@${scheduler.nowMs}`)
  for (const ms of [30, 10, 20, 10, 50]) scheduler.after(ms, note('event'))
  scheduler.after(20, note('second'))
  scheduler.after(5, note('never'))()
  scheduler.after(10, () => scheduler.after(0, note('at once')))
  await scheduler.run(40)
  t.same(ran, ['event@10', 'event@10', 'at once@10', 'event@20', 'second@20', 'event@30'])
  t.equal(scheduler.nowMs, 40)
  await scheduler.run(100, () => ran.length === 7)
  t.equal(scheduler.nowMs, 50, 'it ends as soon as it is done')
})

t.test('all promise reactions run before the next event, however long their chain', async t => {
  const scheduler = new Scheduler()
  const ran: string[] = []
  const chain = async (name: string): Promise<void> => {
    for (let turn = 0; turn < 1_000; turn++) await Promise.resolve()
    ran.push(`${name}@${scheduler.nowMs}`)
  }
  for (const ms of [1, 1, 2, 3]) scheduler.after(ms, () => void chain('chain'))
  for (const ms of [1, 2, 3]) scheduler.after(ms, () => ran.push(`event@${scheduler.nowMs}`))
  await scheduler.run(10)
  t.same(ran, ['chain@1', 'chain@1', 'event@1', 'chain@2', 'event@2', 'chain@3', 'event@3'])
})

t.test('an event that throws ends the run', async t => {
  const scheduler = new Scheduler()
  scheduler.after(1, () => {
    throw new Error('a bug in the simulation')
  })
  await t.rejects(scheduler.run(10), /a bug in the simulation/)
})
