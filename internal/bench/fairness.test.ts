import t from 'tap'
import { type FairnessResult, type FairnessSituation, fairnessGoals, fairnessTable, jainIndex } from './fairness.js'

const result = (situation: FairnessSituation, p99Ms: number, jain = 1): FairnessResult => {
  return { situation, noisyPerSecond: 10_000, backlog: 5, quietEvents: 100, p50Ms: 1, p99Ms, maxMs: 30, jain }
}

t.test('the Jain index is 1 for equal shares and 1 / n where one has all', async t => {
  t.equal(jainIndex([5, 5, 5]), 1)
  t.equal(jainIndex([9, 0, 0]), 1 / 3)
  t.equal(jainIndex([0, 0]), 0, 'nothing for anybody is not fair')
})

t.test('the goal is about the flood against the same clients alone', async t => {
  t.match(fairnessGoals([result('alone', 10), result('flood', 19), result('flood without groups', 900)]), [
    { isMet: true },
    { isMet: true }
  ])
  t.match(fairnessGoals([result('alone', 10), result('flood', 21, 0.9)]), [{ isMet: false }, { isMet: false }])
  t.match(fairnessGoals([result('flood', 21)]), [{ isMet: null }, { isMet: true }])
})

t.test('the table says how many times longer', async t => {
  t.match(fairnessTable([result('alone', 10), result('flood', 15)]), /flood .* 1\.50 /)
})
