import t from 'tap'
import { readSamples } from '../../engine/observe/prometheus-text.js'
import { readHistogram } from './read-histogram.js'

const SAMPLES = readSamples(`# HELP commit_seconds Time
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
`)

t.test('the counts up to each bound become counts per bucket', async t => {
  t.strictSame(readHistogram(SAMPLES, 'commit_seconds'), {
    bounds: [0.5, 2],
    counts: [3, 4, 1],
    sum: 12.5
  })
})

t.test('series of one name are added up, whatever the order of their labels', async t => {
  t.strictSame(readHistogram(SAMPLES, 'labelled'), { bounds: [1], counts: [11, 11], sum: 33 })
})

t.test('only series with the wanted labels count', async t => {
  t.strictSame(
    readHistogram(SAMPLES, 'labelled', ({ kind }) => kind === 'b'),
    {
      bounds: [1],
      counts: [10, 10],
      sum: 30
    }
  )
  t.equal(
    readHistogram(SAMPLES, 'labelled', ({ kind }) => kind === 'c'),
    null
  )
})

t.test('a missing histogram is null', async t => {
  t.equal(readHistogram(SAMPLES, 'seconds'), null)
  t.equal(readHistogram([], 'commit_seconds'), null)
})
