import t from 'tap'
import { compareDocuments } from './compare.js'

const machine = { node: 'v24.1.0', cpus: 2, loadBefore: 0.1 }
const spread = (median: number) => ({ median, min: median - 1, max: median + 1 })
const ours = (eventsPerSecond: number) => ({
  scenario: 'ours',
  title: 'ours',
  eventsPerSecond: spread(eventsPerSecond)
})

t.test('figures that both files have are shown side by side with their ratio', async t => {
  const text = compareDocuments(
    { machine, scenarios: [ours(8_000), { scenario: 'naive', eventsPerSecond: spread(1_000) }] },
    { machine, scenarios: [{ ...ours(10_000), ratios: { toNaive: 9 } }] }
  )
  t.match(text, /^ours eventsPerSecond +8,000 +10,000 +1\.25$/m)
  t.notMatch(text, /naive/, 'a figure that only one file has is left out')
  t.notMatch(text, /min|max/, 'extremes are not listed')
})

t.test('list entries are matched by name, not by position', async t => {
  const before = { tableGrowth: [{ rows: 0, walBytesPerRow: spread(700) }] }
  const after = {
    tableGrowth: [
      { rows: 500, walBytesPerRow: spread(900) },
      { rows: 0, walBytesPerRow: spread(350) }
    ]
  }
  t.match(compareDocuments(before, after), /^0 rows walBytesPerRow +700 +350 +0\.50$/m)
})

t.test('differences in machine and options are named, the momentary load is not', async t => {
  const before = { machine, options: { workers: 1 }, scenarios: [ours(1_000)] }
  const after = {
    machine: { ...machine, node: 'v26.0.0', loadBefore: 2 },
    options: { workers: 2 },
    scenarios: [ours(1_000)]
  }
  const text = compareDocuments(before, after)
  t.match(text, /machine\.node: "v24\.1\.0" → "v26\.0\.0"/)
  t.match(text, /options\.workers: 1 → 2/)
  t.notMatch(text, /loadBefore|cpus/)
  t.notMatch(compareDocuments(before, before), /These differ/)
})

t.test('two files without a common figure say so', async t => {
  t.match(
    compareDocuments(
      { scenarios: [ours(1)] },
      { tableGrowth: [{ rows: 0, walBytesPerRow: spread(1) }] }
    ),
    /no figure in common/
  )
})
