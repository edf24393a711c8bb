import t from 'tap'
import { spreadOf } from './statistics.js'

t.test('the median of several rounds ignores one bad round', async t => {
  const rows = [
    {
      why: 'the middle one of an odd number, whatever the order',
      values: [900, 100, 1_000],
      want: { median: 900, min: 100, max: 1_000 }
    },
    {
      why: 'half way between the two in the middle',
      values: [4, 1, 3, 2],
      want: { median: 2.5, min: 1, max: 4 }
    },
    { why: 'a single round is its own spread', values: [7], want: { median: 7, min: 7, max: 7 } }
  ]
  for (const { why, values, want } of rows) t.strictSame(spreadOf(values), want, why)
  t.equal(spreadOf([]), null, 'no rounds, no median')
})
