import t from 'tap'
import { trendOf } from './trend.js'

t.test('points on a line give its slope, without an error', async t => {
  const trend = trendOf([0, 1, 2, 5].map(x => ({ x, y: 3 - 2 * x })))
  t.equal(trend?.slope, -2)
  t.ok((trend?.standardError ?? 1) < 1e-9)
})

t.test('scatter around a flat line gives an error and no slope', async t => {
  const trend = trendOf([10, 12, 12, 10].map((y, x) => ({ x, y })))
  t.equal(trend?.slope, 0)
  t.equal(trend?.standardError.toFixed(4), '0.6325')
})

t.test('two points, or many at one x, give no line', async t => {
  t.equal(trendOf([]), null)
  t.equal(
    trendOf([
      { x: 0, y: 0 },
      { x: 1, y: 1 }
    ]),
    null
  )
  t.equal(trendOf([1, 2, 3].map(y => ({ x: 1, y }))), null)
})
