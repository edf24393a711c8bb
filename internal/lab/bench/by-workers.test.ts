import t from 'tap'
import { workersTable } from './by-workers.js'
import { type Round, summarize } from './results.js'

const round = (eventsPerSecond: number): Round => ({
  scenario: 'ours',
  round: 1,
  events: 1_000,
  measuredEvents: 750,
  seconds: 1,
  eventsPerSecond,
  cpuUsPerEvent: { subject: 40, postgres: 25, queue: 30, bench: 1 },
  latency: null,
  memory: null,
  commits: { meanRows: 700, rowsPerCommitSecond: 1 },
  eventLoopLagMs: null,
  busyLatency: null,
  othersShare: null
})

t.test('each number of workers is a row with its ratio and its total cost per event', async t => {
  const results = [1, 2].map(workers => ({
    workers,
    summary: summarize([round(workers * 6_000)], new Map())[0]
  }))
  const rows = results.flatMap(({ workers, summary }) =>
    summary === undefined ? [] : [{ workers, summary }]
  )
  const table = workersTable(rows)
  t.match(table, /^1 +6,000 +1\.00 +40\.0 +25\.0 +30\.0 +95\.0 +700 /m)
  t.match(table, /^2 +12,000 +2\.00 /m)
})
