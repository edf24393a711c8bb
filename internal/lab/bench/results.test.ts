import t from 'tap'
import { checkGoals } from './goals.js'
import { goalLines, remarks, resultTable } from './report.js'
import { type Round, summarize, totalUs } from './results.js'
import type { ScenarioName } from './scenarios.js'

const MIB = 1024 * 1024

const round = (
  scenario: ScenarioName,
  eventsPerSecond: number,
  over: Partial<Round> = {}
): Round => ({
  scenario,
  round: 1,
  events: 1_000,
  measuredEvents: 750,
  seconds: 1,
  eventsPerSecond,
  cpuUsPerEvent: { subject: 40, postgres: 25, queue: 30, bench: 1 },
  latency: { samples: 500, sentPerSecond: 100, p50Ms: 4, p99Ms: 20 },
  memory: { totalBytes: 250 * MIB, largestBytes: 150 * MIB },
  commits: null,
  eventLoopLagMs: null,
  busyLatency: null,
  othersShare: null,
  ...over
})

const titles = new Map<ScenarioName, string>([
  ['naive', 'naive'],
  ['ours', 'ours']
])

t.test('rounds become medians with their extremes, and ratios compare medians', async t => {
  const rounds = [
    round('naive', 1_000),
    round('ours', 4_000),
    round('naive', 3_000),
    round('ours', 9_000),
    round('naive', 2_000),
    round('ours', 8_000)
  ]
  const [naive, ours] = summarize(rounds, titles)
  t.strictSame(naive?.eventsPerSecond, { median: 2_000, min: 1_000, max: 3_000 })
  t.strictSame(ours?.eventsPerSecond, { median: 8_000, min: 4_000, max: 9_000 })
  t.equal(naive?.ratios.toNaive, 1)
  t.equal(ours?.ratios.toNaive, 4)
  t.equal(ours?.ratios.toInsert, null, 'a scenario that was left out gives no ratio')
})

t.test('the CPU time of an event includes every party but the bench', async t => {
  const cpu = (subject: number, bench: number): Partial<Round> => ({
    cpuUsPerEvent: { subject, postgres: 20, queue: 30, bench }
  })
  const summaries = summarize(
    [round('naive', 1, cpu(550, 400)), round('ours', 1, cpu(50, 1))],
    titles
  )
  t.strictSame(summaries.map(totalUs), [600, 100])
  t.equal(summaries[1]?.ratios.cpuSavingToNaive, 6)
})

t.test('missing figures are left out, and the others are shown', async t => {
  const summaries = summarize(
    [round('naive', 1_000, { cpuUsPerEvent: null, latency: null, memory: null })],
    titles
  )
  t.equal(summaries[0]?.cpuUsPerEvent, null)
  t.match(resultTable(summaries), /naive +1,000 +1\.00 +– +– +n\/a +n\/a +n\/a +n\/a +– +– +n\/a$/)
})

t.test('a goal is met at its target and missed just beyond it', async t => {
  const verdict = (name: string, rounds: readonly Round[]): boolean | null | undefined =>
    checkGoals(summarize(rounds, titles)).find(goal => goal.name === name)?.isMet
  const cpu = (subject: number): Partial<Round> => ({
    cpuUsPerEvent: { subject, postgres: 25, queue: 30, bench: 1 }
  })
  const rows = [
    {
      name: 'ours / naive, first goal',
      met: [round('naive', 1_000), round('ours', 4_000)],
      missed: [round('naive', 1_000), round('ours', 3_999)]
    },
    {
      name: 'CPU of the processor per event',
      met: [round('ours', 1, cpu(35))],
      missed: [round('ours', 1, cpu(35.1))]
    },
    {
      name: 'ours / (receive + delete)',
      met: [round('ours', 600), round('receive-delete', 1_000)],
      missed: [round('ours', 599), round('receive-delete', 1_000)]
    },
    {
      name: 'ours, mixed / ours',
      met: [round('ours', 1_000), round('ours-mixed', 850)],
      missed: [round('ours', 1_000), round('ours-mixed', 849)]
    },
    {
      name: 'producers alone',
      met: [round('producers', 30_000)],
      missed: [round('producers', 29_999)]
    },
    {
      name: 'longest stall of an event loop at full load',
      met: [round('ours', 1, { eventLoopLagMs: 50 })],
      missed: [round('ours', 1, { eventLoopLagMs: 50.1 })]
    },
    {
      name: 'memory of a worker',
      met: [round('ours', 1, { memory: { totalBytes: 300 * MIB, largestBytes: 200 * MIB } })],
      missed: [round('ours', 1, { memory: { totalBytes: 201 * MIB, largestBytes: 201 * MIB } })]
    }
  ]
  for (const { name, met, missed } of rows) {
    t.equal(verdict(name, met), true, `${name}: met`)
    t.equal(verdict(name, missed), false, `${name}: missed`)
  }
})

t.test('a goal without its scenarios is neither met nor missed', async t => {
  const goals = checkGoals(summarize([round('ours', 1_000)], titles))
  t.equal(goals.find(({ name }) => name === 'ours / naive')?.isMet, null)
  t.match(goalLines(goals), /ours \/ naive: goal ≥ 9 ×: not measured/)
  t.match(goalLines(goals), /sent → committed, p50: goal ≤ 10 ms, measured 4\.0: met/)
})

t.test('latency near the full rate is shown with the rate that producers reached', async t => {
  const busyLatency = { samples: 5_000, sentPerSecond: 6_900, p50Ms: 12, p99Ms: 80 }
  const rounds = [
    round('ours', 10_000, { busyLatency, commits: { meanRows: 700, rowsPerCommitSecond: 20_000 } })
  ]
  t.match(
    remarks(summarize(rounds, titles)).join('\n'),
    /ours at 70 % of its rate \(6,900 events\/s.*p50 12\.0 ms, p99 80\.0 ms/
  )
})

t.test('what the producers send has no ratio to what others receive', async t => {
  const summaries = summarize([round('receive-delete', 10_000), round('producers', 30_000)], titles)
  t.equal(summaries.find(({ scenario }) => scenario === 'producers')?.ratios.toReceiveDelete, null)
})
