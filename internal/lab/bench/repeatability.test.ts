import t from 'tap'
import { repeatabilityOf } from './repeatability.js'
import type { Round } from './results.js'
import type { ScenarioName } from './scenarios.js'

function round(
  scenario: ScenarioName,
  number: number,
  eventsPerSecond: number,
  othersShare: number | null = 0.01
): Round {
  return {
    scenario,
    round: number,
    events: 1,
    measuredEvents: 1,
    seconds: 1,
    eventsPerSecond,
    othersShare,
    cpuUsPerEvent: null,
    latency: null,
    memory: null,
    commits: null,
    eventLoopLagMs: null,
    busyLatency: null
  }
}

/** Two scenarios in three rounds. */
const rounds = (
  naive: readonly number[],
  ours: readonly number[],
  othersShare: number | null = 0.01
): readonly Round[] => [
  ...naive.map((rate, index) => round('naive', index + 1, rate, othersShare)),
  ...ours.map((rate, index) => round('ours', index + 1, rate, othersShare))
]

await t.test(
  'ratios within a tenth of their median are repeatable, whatever the rates do',
  async t => {
    t.same(repeatabilityOf(rounds([1_000, 500, 2_000], [10_000, 5_500, 18_000])), [
      "Repeatable: each round's ratios are within ±10 % of the median (ours / naive ±10 %)."
    ])
  }
)

await t.test('a wider ratio is named, with the share that other programs took', async t => {
  const others = [
    ...rounds([1_000, 1_000, 1_000], [10_000, 10_000, 11_100]),
    round('naive', 4, 1_000, 0.23),
    round('ours', 4, 10_000)
  ]
  t.same(repeatabilityOf(others), [
    'Not repeatable within ±10 %: ours / naive ±11 %.',
    '  Why: other programs took up to 23 % of the processors (naive, round 4). Run it again on a quiet machine.'
  ])
})

await t.test(
  'on a quiet machine the unsteady scenario is named; unknown load is said so',
  async t => {
    const [, why] = repeatabilityOf(rounds([1_000, 1_500, 1_000], [10_000, 10_000, 10_000]))
    t.match(
      why,
      /naive by itself ran between 1,000 and 1,500 events\/s, and no other program took part/
    )
    const [, unknown] = repeatabilityOf(
      rounds([1_000, 1_500, 1_000], [10_000, 10_000, 10_000], null)
    )
    t.match(unknown, /what other programs did is not known on this system/)
  }
)

await t.test('one round, or one scenario alone, gives no verdict', async t => {
  t.same(repeatabilityOf(rounds([1_000], [10_000])), [])
  t.same(repeatabilityOf(rounds([], [10_000, 12_000])), [])
})
