import t from 'tap'
import { readGauge, readHistogram } from './metrics-text.js'

const TEXT = `# HELP commit_seconds Time
# TYPE commit_seconds histogram
commit_seconds_bucket{le="0.5"} 3
commit_seconds_bucket{le="2"} 7
commit_seconds_bucket{le="+Inf"} 8
commit_seconds_sum 12.5
commit_seconds_count 8
other_commit_seconds_bucket{le="0.5"} 100
labelled_bucket{le="1",kind="a"} 1
labelled_bucket{le="+Inf",kind="a"} 2
labelled_sum{kind="a"} 3
labelled_bucket{kind="b",le="1"} 10
labelled_bucket{kind="b",le="+Inf"} 20
labelled_sum{kind="b"} 30
`

t.test('the counts up to each bound become counts per bucket', async t => {
  t.strictSame(readHistogram(TEXT, 'commit_seconds'), {
    bounds: [0.5, 2],
    counts: [3, 4, 1],
    sum: 12.5
  })
})

t.test('series of one name are added up, wherever their labels stand', async t => {
  t.strictSame(readHistogram(TEXT, 'labelled'), { bounds: [1], counts: [11, 11], sum: 33 })
})

t.test('of several series those with the wanted labels count', async t => {
  t.strictSame(readHistogram(TEXT, 'labelled', 'kind="b"'), {
    bounds: [1],
    counts: [10, 10],
    sum: 30
  })
  t.equal(readHistogram(TEXT, 'labelled', 'kind="c"'), null)
})

t.test('a text without the histogram has none', async t => {
  t.equal(readHistogram(TEXT, 'seconds'), null)
  t.equal(readHistogram('', 'commit_seconds'), null)
})

t.test(
  'a gauge is its value, of several series the largest, and null while it is missing',
  async t => {
    t.equal(readGauge('# TYPE lag gauge\nlag 0.025\n', 'lag'), 0.025)
    t.equal(readGauge('lag{worker="1"} 0.02\nlag{worker="2"} 0.05\n', 'lag'), 0.05)
    t.equal(readGauge('lag_other 3\n', 'lag'), null)
  }
)
