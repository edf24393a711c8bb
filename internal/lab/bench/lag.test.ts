import t from 'tap'
import { watchLag } from './lag.js'

const reporting = (...lagSeconds: (number | null)[]) => ({
  readings: () =>
    Promise.resolve({
      dwell: null,
      batchRows: null,
      commitSeconds: null,
      lagSeconds: lagSeconds.shift() ?? null
    })
})
const atOnce = (): Promise<void> => Promise.resolve()

t.test('the report after the drain counts too: it covers the last second', async t => {
  const watch = watchLag(reporting(0.01, 0.045), atOnce)
  watch.start()
  t.equal(await watch.stop(), 45)
})

t.test('the longest stall is the figure, not the last one', async t => {
  t.equal(await watchLag(reporting(0.06, 0.02), atOnce).stop(), 60)
})

t.test('a subject that reports nothing has no figure', async t => {
  t.equal(await watchLag(reporting(null, null), atOnce).stop(), null)
})
