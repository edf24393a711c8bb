import t from 'tap'
import { createManualClock } from '../../lab/testing/manual-clock.js'
import type { DutyOutcome } from './dispatch.js'
import { Recorder } from './recorder.js'

const outcome = (dutyId: string): DutyOutcome<string> => ({
  dutyId,
  attempt: 1,
  startedAtMs: 0,
  result: 'ok',
  fate: { kind: 'done' }
})

/**
 * A recorder whose database answers as the test says: each statement waits for `answer`
 * or `refuse`.
 */
function setup() {
  const clock = createManualClock()
  const statements: (readonly string[])[] = []
  const faults: unknown[] = []
  let recorded = 0
  const waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = []
  const recorder = new Recorder<string>({
    settle(outcomes) {
      statements.push(outcomes.map(({ dutyId }) => dutyId))
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
    clock,
    random: () => 1,
    onFault: error => faults.push(error),
    onRecorded: () => (recorded += 1)
  })
  return {
    clock,
    recorder,
    statements,
    faults,
    recorded: () => recorded,
    answer: () => waiting.shift()?.resolve(),
    refuse: () => waiting.shift()?.reject(new Error('the database is away'))
  }
}

t.test('outcomes that arrive during a statement are recorded together by the next one', async t => {
  const { clock, recorder, statements, answer } = setup()
  const first = [recorder.record(outcome('1')), recorder.record(outcome('2'))]
  await clock.advanceAsync(0)
  const later = [recorder.record(outcome('3')), recorder.record(outcome('4'))]
  await clock.advanceAsync(0)
  t.same(statements, [['1', '2']])
  answer()
  t.same(await Promise.all(first), [true, true])
  await clock.advanceAsync(0)
  t.same(statements, [
    ['1', '2'],
    ['3', '4']
  ])
  answer()
  t.same(await Promise.all(later), [true, true])
  const last = recorder.record(outcome('5'))
  await clock.advanceAsync(0)
  answer()
  t.equal(await last, true, 'and also after a pause')
})

t.test('a statement has at most 500 outcomes', async t => {
  const { clock, recorder, statements, answer } = setup()
  for (let n = 0; n < 501; n++) void recorder.record(outcome(String(n)))
  await clock.advanceAsync(0)
  answer()
  await clock.advanceAsync(0)
  t.same(
    statements.map(ids => ids.length),
    [500, 1]
  )
  answer()
})

t.test(
  'in an outage outcomes are retried ever more rarely, none lost or confirmed early',
  async t => {
    const { clock, recorder, statements, faults, recorded, answer, refuse } = setup()
    const results: (boolean | string)[] = []
    void recorder.record(outcome('1')).then(isRecorded => results.push(isRecorded))
    await clock.advanceAsync(0)
    for (const waitMs of [50, 100, 200, 400, 800, 1_600, 2_000, 2_000]) {
      const before = statements.length
      refuse()
      await clock.advanceAsync(waitMs - 1)
      t.equal(statements.length, before, `not before ${waitMs} ms`)
      await clock.advanceAsync(1)
      t.equal(statements.length, before + 1)
    }
    t.same(results, [])
    t.equal(faults.length, 8)
    t.equal(recorded(), 0)
    answer()
    await clock.advanceAsync(0)
    t.same(results, [true])
    t.equal(recorded(), 1)
    t.ok(statements.every(ids => ids.join() === '1'))
  }
)

t.test(
  'after `abandon` nobody waits any longer, and later outcomes are refused at once',
  async t => {
    const { clock, recorder, statements, refuse } = setup()
    const results: boolean[] = []
    for (const id of ['1', '2'])
      void recorder.record(outcome(id)).then(isRecorded => results.push(isRecorded))
    await clock.advanceAsync(0)
    void recorder.record(outcome('3')).then(isRecorded => results.push(isRecorded))
    refuse()
    await clock.advanceAsync(10)
    recorder.abandon()
    await clock.advanceAsync(0)
    t.same(results, [false, false, false])
    t.equal(await recorder.record(outcome('4')), false)
    t.equal(statements.length, 1)
    t.equal(clock.pending(), 0)
  }
)

t.test('the answer to a statement under way still counts after `abandon`', async t => {
  const { clock, recorder, answer } = setup()
  const recorded = recorder.record(outcome('1'))
  await clock.advanceAsync(0)
  recorder.abandon()
  answer()
  t.equal(await recorded, true)
})
