import t from 'tap'
import { findIn, soakGoals } from './findings.js'
import { formatFindings, wrongCounts } from './report.js'
import type { SoakOutcome } from './run.js'

const counts = { stored: 85, duplicates: 10, rejected: 5 }
const outcome = (decided: Partial<typeof counts>): SoakOutcome => ({
  sustainedPerSecond: 1_000,
  sentPerSecond: 700,
  samples: [],
  sent: counts,
  decided: { ...counts, ...decided },
  deletedRows: 40
})

t.test('lost and extra events are named; redeliveries may add duplicates', async t => {
  t.same(wrongCounts(outcome({})), [])
  t.same(wrongCounts(outcome({ duplicates: 11 })), [])
  t.match(wrongCounts(outcome({ duplicates: 9 })), [/10 duplicates were sent, 9/])
  t.match(wrongCounts(outcome({ stored: 84 })), [/85 events should be stored, 84/])
  t.match(wrongCounts(outcome({ stored: 86 })), [/85 events should be stored, 86/])
  t.match(wrongCounts(outcome({ rejected: 6 })), [/5 events should be rejected, 6/])
})

t.test('the text says what was sent, what was decided and what was deleted', async t => {
  const findings = findIn([], 60)
  const text = formatFindings(outcome({}), findings, soakGoals(findings))
  t.match(text, /sustained 1000 events\/s, sent 700 per second\nthe first 20 s are warm-up/)
  t.match(
    text,
    /sent: 85 new, 10 duplicates, 5 invalid\ndecided: 85 stored, 10 duplicates, 5 rejected/
  )
  t.match(text, /deleted because of their age: 40/)
  t.match(text, /p99 sent → committed.*MISSED/)
})
