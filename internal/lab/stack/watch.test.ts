import t from 'tap'
import type { Demo } from './demo.js'
import { progressLine } from './watch.js'

/** Only what the line needs of a demo. */
const demo = (name: string): Demo => ({
  argumentsOf: () => Promise.resolve([]),
  introduction: () => ({ above: [], below: [] }),
  read: () => Promise.resolve(null),
  describe: ({ done = 0 }) => `${name} ${done}`,
  pace: 'done',
  sources: [],
  untilStill: [],
  ending: ''
})

t.test('each system shows its figures and its pace since the last look', async t => {
  const one = demo('one')
  const other = demo('other')
  const before = [{ demo: one, figures: { done: 100 } }]
  const now = [
    { demo: one, figures: { done: 2_600 } },
    { demo: other, figures: { done: 7 } }
  ]
  t.equal(progressLine(now, before, 2), 'one 2600 · 1,250/s  |  other 7 · 0/s')
  t.equal(progressLine(before, [], 0), 'one 100 · 0/s')
})
