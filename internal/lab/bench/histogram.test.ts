import t from 'tap'
import { Observations } from '../../engine/observe/observations.js'
import { countOf, quantileOf, since } from './histogram.js'

const histogram = (counts: readonly number[], sum = 0) => ({ bounds: [1, 2, 4], counts, sum })

t.test('an observation counts in the first bucket that holds it, its bound included', async t => {
  const observed = new Observations([1, 2, 4])
  for (const value of [0, 1, 1.5, 4, 4.5]) observed.observe(value)
  t.strictSame(observed.counts, [2, 1, 1, 1])
  t.equal(countOf(observed), 5)
  t.equal(observed.sum, 11)
})

t.test('a quantile lies within its bucket in proportion to its rank', async t => {
  const rows = [
    { why: 'half of the only bucket', counts: [10, 0, 0, 0], share: 0.5, want: 0.5 },
    {
      why: 'the bound itself when the rank ends its bucket',
      counts: [5, 5, 0, 0],
      share: 0.5,
      want: 1
    },
    { why: 'the next bucket from there on', counts: [5, 5, 0, 0], share: 0.6, want: 1.2 },
    { why: 'empty buckets are skipped', counts: [5, 0, 5, 0], share: 1, want: 4 },
    {
      why: 'above all bounds only the highest is known',
      counts: [0, 0, 0, 3],
      share: 0.5,
      want: 4
    }
  ]
  for (const { why, counts, share, want } of rows)
    t.equal(quantileOf(histogram(counts), share), want, why)
  t.equal(quantileOf(histogram([0, 0, 0, 0]), 0.5), null, 'nothing observed, no quantile')
})

t.test('the difference of two readings is what was observed between them', async t => {
  t.strictSame(
    since(histogram([1, 2, 3, 0], 10), histogram([1, 5, 3, 1], 25)),
    histogram([0, 3, 0, 1], 15)
  )
  t.throws(() => since(histogram([0, 0, 0, 0]), { bounds: [1, 2], counts: [0, 0, 0], sum: 0 }), {
    name: 'RangeError'
  })
})
