import t from 'tap'
import {
  FAIRNESS_SITUATIONS,
  type FairnessSituation,
  type FairnessTurn,
  fairnessGoals,
  fairnessTable,
  jainIndex,
  summarizeFairness
} from './fairness-report.js'

const turn = (situation: FairnessSituation, p99Ms: number, jain = 1): FairnessTurn => {
  return {
    situation,
    quietEvents: 100,
    sendP99Ms: 2,
    p50Ms: 1,
    p99Ms,
    jain,
    noisySentPerSecond: 2_000,
    noisyStoredPerSecond: 1_990,
    backlog: 5
  }
}

t.test('the Jain index is 1 for equal shares and 1 / n when one has all', async t => {
  t.equal(jainIndex([5, 5, 5]), 1)
  t.equal(jainIndex([9, 0, 0]), 1 / 3)
  t.equal(jainIndex([0, 0]), 0, 'nothing for anyone is not fair')
})

t.test('turns of one situation become a median with its spread, in a fixed order', async t => {
  const results = summarizeFairness([
    turn('flood', 30),
    turn('alone', 10),
    turn('flood', 12),
    turn('alone', 8),
    turn('flood', 14)
  ])
  t.match(results, [
    { situation: 'alone', turns: 2, quietEvents: 200, p99Ms: { median: 9, min: 8, max: 10 } },
    { situation: 'flood', turns: 3, quietEvents: 300, p99Ms: { median: 14, min: 12, max: 30 } }
  ])
  t.equal(results.length, 2, 'a situation that was not measured is left out')
})

t.test('a flood turn is compared with the alone turn of the same round', async t => {
  const turns = [
    turn('alone', 10),
    turn('flood', 19),
    turn('flood', 30),
    turn('alone', 20),
    turn('alone', 5),
    turn('flood', 20)
  ]
  const [alone, flood] = summarizeFairness(turns)
  t.match(
    [alone?.p99ToAlone, flood?.p99ToAlone],
    [
      { median: 1, min: 1, max: 1 },
      { median: 1.9, min: 1.5, max: 4 }
    ]
  )
  const [, overload] = summarizeFairness([
    ...turns.filter(({ situation }) => situation === 'alone'),
    turn('overload', 40)
  ])
  t.match(
    overload?.p99ToAlone,
    { median: 4 },
    'a single turn is compared with the median of the alone turns'
  )
  t.equal(summarizeFairness([turn('flood', 10)])[0]?.p99ToAlone, null)
})

t.test('the goals compare the flood with the same clients alone; an overload has none', async t => {
  const goalsOf = (...turns: FairnessTurn[]) => fairnessGoals(summarizeFairness(turns))
  t.match(goalsOf(turn('alone', 10), turn('flood', 19), turn('overload', 900)), [
    { isMet: true },
    { isMet: true }
  ])
  t.match(goalsOf(turn('alone', 10), turn('flood', 21)), [{ isMet: false }, { isMet: true }])
  t.match(goalsOf(turn('alone', 10), turn('flood', 19), turn('flood', 15, 0.9)), [
    { isMet: true },
    { isMet: false }
  ])
  t.match(goalsOf(turn('flood', 21)), [{ isMet: null }, { isMet: true }])
})

t.test('the table shows the ratio to alone', async t => {
  const table = fairnessTable(
    summarizeFairness(FAIRNESS_SITUATIONS.map((situation, n) => turn(situation, 10 + 5 * n)))
  )
  t.match(table, /^alone .* 10\.0 \(10\.0–10\.0\) +1\.00 \(1\.00–1\.00\) /m)
  t.match(table, /^flood .* 15\.0 \(15\.0–15\.0\) +1\.50 \(1\.50–1\.50\) /m)
  t.match(table, /^overload .* 20\.0 \(20\.0–20\.0\) +2\.00 \(2\.00–2\.00\) /m)
})
