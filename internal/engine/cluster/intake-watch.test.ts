import { pino } from 'pino'
import t from 'tap'
import { CounterSums } from '../observe/counters.js'
import { CounterTotals } from '../observe/totals.js'
import { createCommitJournal, createSuspectRecord } from './intake-reporter.js'
import { type DeathWord, IntakeWatch, type IntakeWord } from './intake-watch.js'

/** A primary, fed by one worker's journal and record. */
function setup() {
  const totals = new CounterTotals()
  const lines: string[] = []
  const told: DeathWord[] = []
  const watch = new IntakeWatch({
    totals,
    log: pino({}, { write: line => void lines.push(line) }),
    tell: word => told.push(word)
  })
  const send = async (word: IntakeWord): Promise<void> =>
    watch.hear(1, structuredClone<IntakeWord>(word))
  const sums = new CounterSums()
  const countsOf = (dispositions: readonly string[]) => ({ stored: dispositions.length })
  const journal = createCommitJournal({ sums, countsOf, send })
  const record = createSuspectRecord(send)
  const log = (): unknown[] => lines.map(line => JSON.parse(line) as unknown)
  return { totals, told, watch, sums, journal, record, log }
}

t.test('a transaction counts once it is known to have committed', async t => {
  const { totals, sums, journal } = setup()
  await journal.committing('1', ['stored', 'stored'], [])
  t.equal(totals.sum('stored'), 0)
  journal.committed('1')
  t.equal(totals.sum('stored'), 2)
  await journal.committing('2', ['stored'], [])
  journal.rolledBack('2')
  t.equal(totals.sum('stored'), 2)
  t.same(sums.counts, { stored: 2 })
})

t.test('only the transactions that a dead worker left open are looked up', async t => {
  const { totals, journal } = setup()
  await journal.committing('1', ['stored'], [])
  journal.committed('1')
  await journal.committing('2', ['stored', 'stored'], [])
  const asked: string[] = []
  await totals.retire(1, async tx => asked.push(tx) > 0)
  t.same(asked, ['2'])
  t.equal(totals.sum('stored'), 3)
})

t.test('a death during an examination is announced to all workers, later ones too', async t => {
  const { told, watch, record, log } = setup()
  await record.examining('poison')
  watch.exited({ id: 1, pid: 77 })
  const word = { kind: 'death', messageId: 'poison', deaths: 1 }
  t.same(told, [word])
  t.same(watch.greeting, [word])
  t.match(log(), [
    { worker: 77, messageId: 'poison', msg: 'a worker died while examining this message alone' }
  ])
  t.equal(record.deaths('poison'), 0)
  for (const one of watch.greeting) record.hear(one)
  t.equal(record.deaths('poison'), 1)
})

t.test('a worker that was examining nothing blames no message', async t => {
  const { told, watch, record, log } = setup()
  await record.examining('innocent')
  await record.examining(null)
  watch.exited({ id: 1, pid: 77 })
  t.same(told, [])
  t.same(watch.greeting, [])
  t.same(log(), [])
})
