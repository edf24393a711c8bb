import t from 'tap'
import { type Round, type Summary, summarize } from './results.js'
import { type SchemasSituation, schemasGoals, schemasTable } from './schemas.js'

const summaryOf = (eventsPerSecond: number, subject: number): Summary => {
  const cpuUsPerEvent = { subject, postgres: 20, queue: 10, bench: 0 }
  const [summary] = summarize(
    [{ scenario: 'ours', round: 1, events: 100, eventsPerSecond, cpuUsPerEvent } as Round],
    new Map()
  )
  if (summary === undefined) throw new Error('one round makes one summary')
  return summary
}
const result = (
  situation: SchemasSituation,
  rate: number,
  us: number
): { situation: SchemasSituation; summary: Summary } => {
  return { situation, summary: summaryOf(rate, us) }
}

t.test('the goal is the rate with active schemas against the rate without', async t => {
  t.match(schemasGoals([result('none', 10_000, 30), result('active', 9_000, 31)]), [
    { isMet: true, measured: 90 }
  ])
  t.match(schemasGoals([result('none', 10_000, 30), result('active', 8_999, 31)]), [
    { isMet: false }
  ])
  t.match(schemasGoals([result('active', 8_999, 31)]), [{ isMet: null }])
})

t.test('the table shows what schemas add', async t => {
  const table = schemasTable([result('none', 10_000, 30), result('active', 9_500, 31.5)])
  t.match(table, /^none .* 100 +30\.0 +0\.0$/m)
  t.match(table, /^active .* 95 +31\.5 +1\.5$/m)
})
