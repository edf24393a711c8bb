import t from 'tap'
import { until } from '../testing/until.js'
import { DelayLine } from './delay-line.js'

t.test('order is kept whatever the delays; without a delay an item passes at once', async t => {
  const came: number[] = []
  const line = new DelayLine<number>(item => came.push(item))
  line.push(0, 0)
  t.same(came, [0])
  const delays = [30, 1, 0, 12, 2, 30, 0]
  for (const [index, delayMs] of delays.entries()) line.push(index + 1, delayMs)
  t.same(came, [0], 'the first item holds the others back')
  await until('all have come', () => came.length === delays.length + 1)
  t.same(came, [0, 1, 2, 3, 4, 5, 6, 7])
  line.push(8, 0)
  t.equal(came.at(-1), 8)
})
