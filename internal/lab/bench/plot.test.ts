import t from 'tap'
import { createAxis, drawPlot } from './plot.js'
import type { Summary } from './results.js'

const spread = (median: number) => ({ median, min: median, max: median })

const summary = (over: Partial<Summary> = {}): Summary => ({
  scenario: 'ours',
  title: 'ours',
  events: 1_000,
  eventsPerSecond: spread(8_000),
  cpuUsPerEvent: {
    subject: spread(40),
    postgres: spread(20),
    queue: spread(30),
    bench: spread(500)
  },
  p50Ms: null,
  p99Ms: null,
  totalBytes: null,
  largestBytes: null,
  meanRows: null,
  rowsPerCommitSecond: null,
  eventLoopLagMs: null,
  busyLatency: null,
  ratios: {
    toNaive: 6.25,
    toReceiveDelete: null,
    toInsert: null,
    toOurs: null,
    cpuSavingToNaive: null
  },
  ...over
})

t.test('an axis has a few round steps and room for the largest value', async t => {
  const rows = [
    { largest: 8_000, step: 2_000, end: 8_000 },
    { largest: 8_001, step: 2_000, end: 10_000 },
    { largest: 40_217, step: 10_000, end: 50_000 },
    { largest: 1.2, step: 0.2, end: 1.2 },
    { largest: 0, step: 0.2, end: 1 }
  ]
  for (const { largest, step, end } of rows) {
    const axis = createAxis(largest)
    t.equal(axis.step, step, `step for ${largest}`)
    t.equal(Number(axis.end.toFixed(6)), end, `end for ${largest}`)
    t.ok(axis.scale(largest) <= axis.scale(axis.end), `${largest} fits`)
  }
})

t.test('a bar shows its rate, its ratio and the parts of its cost, without the bench', async t => {
  const svg = drawPlot([summary()], 'a machine')
  t.match(svg, '>8,000 · 6.3 × naive<')
  t.match(svg, '>90  =  40 + 20 + 30<')
  t.match(svg, '>a machine<')
})

t.test('text from outside cannot break the document', async t => {
  const svg = drawPlot([summary({ title: 'a < b & c' })], '2 × <cpu>')
  t.match(svg, 'a &lt; b &amp; c')
  t.match(svg, '2 × &lt;cpu&gt;')
  t.notMatch(svg, '<cpu>')
})

t.test('without CPU figures there is one panel', async t => {
  const [both, one] = [summary(), summary({ cpuUsPerEvent: null })].map(each =>
    drawPlot([each], 'a machine')
  )
  t.match(both, 'CPU time per event')
  t.notMatch(one, 'CPU time per event')
})
