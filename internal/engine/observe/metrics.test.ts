import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import t from 'tap'
import { MAX_LABEL_VALUES } from './counters.js'
import { Metrics } from './metrics.js'
import type { MetricSnapshot } from './worker-reports.js'

const COUNTERS = {
  parcels: { help: 'Parcels weighed' },
  returned: { help: 'Parcels sent back', label: 'cause', values: ['torn', 'too-heavy'] },
  weighed: { help: 'Parcels by scale', label: 'scale' },
  broken: { help: 'Failures by scale', label: 'scale' }
}
const setup = () => new Metrics('post_', COUNTERS)
const seriesOf = async (metrics: Metrics): Promise<string[]> =>
  (await metrics.text()).split('\n').filter(line => line.startsWith('post_'))
const valueOf = async (metrics: Metrics, series: string): Promise<number | null> => {
  const line = (await seriesOf(metrics)).find(one => one.startsWith(`${series} `))
  return line === undefined ? null : Number(line.slice(series.length + 1))
}

t.test('each counter has the system’s prefix; values of a closed set start at 0', async t => {
  t.same(await seriesOf(setup()), [
    'post_workers 0',
    'post_worker_restarts_total 0',
    'post_parcels_total 0',
    'post_returned_total{cause="torn"} 0',
    'post_returned_total{cause="too-heavy"} 0'
  ])
})

t.test('a scrape shows the current totals', async t => {
  const metrics = setup()
  metrics.totals.reported(1, { parcels: 3, 'returned/torn': 1 })
  metrics.totals.reported(2, { parcels: 4, 'weighed/north': 2 })
  t.equal(await valueOf(metrics, 'post_parcels_total'), 7)
  t.equal(await valueOf(metrics, 'post_returned_total{cause="torn"}'), 1)
  t.equal(await valueOf(metrics, 'post_weighed_total{scale="north"}'), 2)
  metrics.totals.reported(1, { parcels: 5, 'returned/torn': 1 })
  t.equal(await valueOf(metrics, 'post_parcels_total'), 9)
})

t.test('the first labels of an open set keep their series; the rest share one', async t => {
  const metrics = setup()
  const counts = (name: string, from: number, to: number): Record<string, number> =>
    Object.fromEntries(Array.from({ length: to - from }, (_, n) => [`${name}/${from + n}`, 1]))
  metrics.totals.reported(1, counts('weighed', 0, MAX_LABEL_VALUES - 10))
  await metrics.text()
  metrics.totals.reported(2, {
    ...counts('weighed', 40, MAX_LABEL_VALUES + 20),
    ...counts('broken', 60, 70),
    'weighed/other': 5
  })
  const series = await seriesOf(metrics)
  t.equal(series.filter(one => one.startsWith('post_weighed_total')).length, MAX_LABEL_VALUES + 1)
  t.equal(await valueOf(metrics, 'post_weighed_total{scale="49"}'), 1)
  t.equal(await valueOf(metrics, 'post_weighed_total{scale="other"}'), 25)
  t.equal(await valueOf(metrics, 'post_broken_total{scale="other"}'), 10, 'the same labels in both')
})

t.test('a system adds counters and gauges of its own', async t => {
  const metrics = setup()
  let sum = 1
  metrics.addCounter({
    name: 'by_street',
    help: 'Parcels by street and side',
    labelNames: ['street', 'side'],
    series: () => [[{ street: 'Elm', side: 'left' }, sum]]
  })
  metrics.addGauge('waiting', 'Parcels that wait').set(7)
  metrics.addGauge('vans', 'Vans by state', ['state']).set({ state: 'out' }, 2)
  sum = 4
  t.equal(await valueOf(metrics, 'post_by_street_total{street="Elm",side="left"}'), 4)
  t.equal(await valueOf(metrics, 'post_waiting'), 7)
  t.equal(await valueOf(metrics, 'post_vans{state="out"}'), 2)
})

t.test('the counters and histograms of a dead worker stay, its gauges go', async t => {
  const metrics = setup()
  const report = async (): Promise<readonly MetricSnapshot[]> => {
    const registers = [new Registry()]
    new Counter({ name: 'post_calls_total', help: 'Calls', registers }).inc(2)
    new Gauge({ name: 'post_open', help: 'Open', registers, aggregator: 'sum' }).set(3)
    const histogram = new Histogram({ name: 'post_s', help: 'Seconds', buckets: [1, 2], registers })
    histogram.observe(1.5)
    return registers[0]!.getMetricsAsJSON()
  }
  metrics.reports.reported(1, await report())
  metrics.reports.reported(2, await report())
  t.equal(await valueOf(metrics, 'post_workers'), 2)
  t.equal(await valueOf(metrics, 'post_calls_total'), 4)
  t.equal(await valueOf(metrics, 'post_open'), 6)
  await metrics.reports.retire(1)
  metrics.reports.restarted()
  t.equal(await valueOf(metrics, 'post_workers'), 1)
  t.equal(await valueOf(metrics, 'post_calls_total'), 4)
  t.equal(await valueOf(metrics, 'post_open'), 3)
  t.equal(await valueOf(metrics, 'post_s_bucket{le="2"}'), 2)
  t.equal(await valueOf(metrics, 'post_worker_restarts_total'), 1)
})
