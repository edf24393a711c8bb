import t from 'tap'
import { growthGoals, growthTable, growthWarning } from './growth-report.js'
import { type GrowthSlice, summarizeGrowth } from './table-growth.js'

const slice = (
  rows: number,
  rowsPerSecond: number,
  postgresUsPerRow: number | null = 20
): GrowthSlice => ({
  rows,
  rowsPerSecond,
  postgresUsPerRow,
  walBytesPerRow: 700
})

t.test('a slice belongs to the size that the table was last filled to', async t => {
  const rows = [0, 0, 100, 120, 140, 300, 1_000, 1_020, 0]
  const steps = summarizeGrowth(
    rows.map(at => slice(at, 50_000)),
    1_000
  )
  t.strictSame(
    steps.map(step => [step.rows, step.slices]),
    [
      [0, 3],
      [100, 3],
      [300, 1],
      [1_000, 2]
    ]
  )
})

t.test('half the rate and twice the CPU time of the empty table are both 0.5', async t => {
  const [empty, , full] = summarizeGrowth(
    [slice(0, 60_000, 20), slice(100, 50_000, 25), slice(1_000, 30_000, 40)],
    1_000
  )
  t.match(empty, { rateToEmpty: 1, cpuToEmpty: 1 })
  t.match(full, { rateToEmpty: 0.5, cpuToEmpty: 0.5 })
})

t.test('the goal is met when the largest table reaches 80 % of the empty one', async t => {
  const verdicts = (rate: number): readonly (boolean | null)[] =>
    growthGoals(
      summarizeGrowth([slice(0, 1_000, 20), slice(100, 10, 90), slice(1_000, rate, 25)], 1_000)
    ).map(({ isMet }) => isMet)
  t.strictSame(verdicts(800), [true, true])
  t.strictSame(verdicts(799), [false, true])
})

t.test('without CPU times the rates are still shown', async t => {
  const steps = summarizeGrowth([slice(0, 1_000, null), slice(1_000, 900, null)], 1_000)
  t.match(growthTable(steps), /1,000 +1 +900 +90 % +n\/a +n\/a +700$/)
  t.strictSame(
    growthGoals(steps).map(({ isMet }) => isMet),
    [true, null]
  )
})

t.test('an unsteady rate of the empty table gives a warning instead of a verdict', async t => {
  const steps = (last: number) =>
    summarizeGrowth([slice(0, 1_000), slice(0, last), slice(1_000, 900, 25)], 1_000)
  t.equal(growthWarning(steps(1_250)), null)
  t.equal(growthGoals(steps(1_250))[0]?.isMet, true)
  t.match(growthWarning(steps(1_251)), /between 1,000 and 1,251 rows\/s: other work/)
  t.strictSame(
    growthGoals(steps(1_251)).map(({ isMet }) => isMet),
    [null, true]
  )
})
