import t from 'tap'
import { fateOf } from './fate.js'

const middle = (): number => 0.5
const SCHEDULE = [1_000, 60_000]

t.test('a failed duty waits for its step of the schedule, and is given up at the end', async t => {
  const retry = { kind: 'retry', notBeforeMs: 0 } as const
  t.same(fateOf(retry, 0, SCHEDULE, middle), { kind: 'retry', inMs: 1_000 })
  t.same(fateOf(retry, 1, SCHEDULE, middle), { kind: 'retry', inMs: 60_000 })
  t.same(fateOf(retry, 2, SCHEDULE, middle), { kind: 'given-up' })
})

t.test('a requested rest counts where it is longer than the step', async t => {
  const after = (notBeforeMs: number) => fateOf({ kind: 'retry', notBeforeMs }, 0, SCHEDULE, middle)
  t.same(after(999), { kind: 'retry', inMs: 1_000 })
  t.same(after(1_001), { kind: 'retry', inMs: 1_001 })
})

t.test('a duty may be asked again any number of times, outside the schedule', async t => {
  for (const scheduled of [0, 2, 1_000])
    t.same(fateOf({ kind: 'again', afterMs: 5 }, scheduled, [], middle), { kind: 'again', inMs: 5 })
})

t.test('a duty that is done or given up needs no schedule', async t => {
  t.same(fateOf({ kind: 'done' }, 0, SCHEDULE, middle), { kind: 'done' })
  t.same(fateOf({ kind: 'give-up' }, 0, SCHEDULE, middle), { kind: 'given-up' })
})
