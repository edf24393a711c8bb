import t from 'tap'
import { createProcessorMetrics } from './processor-metrics.js'
import { createWorkerMetrics } from './worker-metrics.js'

const status = {
  inFlight: 3,
  inFlightBytes: 900,
  held: 0,
  oldestInFlightMs: 1_500,
  isGateOpen: true,
  gateReasons: [],
  sinceReceiveMs: 0,
  receiveProblem: null
}
const valueOf = (text: string, series: string): number | null => {
  const line = text.split('\n').find(one => one.startsWith(`${series} `))
  return line === undefined ? null : Number(line.slice(series.length + 1))
}

t.test('a scrape shows all totals by name, with every reason from the start', async t => {
  const { metrics } = createProcessorMetrics()
  metrics.totals.reported(1, { stored: 5, 'rejected/conflict': 2, 'flush/free': 1 })
  const text = await metrics.text()
  t.equal(valueOf(text, 'event_process_stored_total'), 5)
  t.equal(valueOf(text, 'event_process_rejected_total{reason="conflict"}'), 2)
  t.equal(valueOf(text, 'event_process_rejected_total{reason="too-deep"}'), 0)
  t.equal(valueOf(text, 'event_process_flush_total{cause="free"}'), 1)
  t.equal(valueOf(text, 'event_process_workers'), 0)
})

t.test('workers’ metrics are added up; a dead worker’s histograms stay, its gauges go', async t => {
  const { metrics } = createProcessorMetrics()
  const workers = [createWorkerMetrics(), createWorkerMetrics()]
  t.teardown(() => workers.forEach(worker => worker.close()))
  for (const [index, worker] of workers.entries()) {
    worker.batchRows.observe(40)
    for (const seconds of [0.001, 0.0011, 4_000]) worker.queueDwellSeconds.observe(seconds)
    metrics.reports.reported(index, await worker.snapshot({ ...status, isGateOpen: index === 0 }))
  }
  const both = await metrics.text()
  t.equal(valueOf(both, 'event_process_batch_rows_sum'), 80)
  t.equal(valueOf(both, 'event_process_batch_rows_bucket{le="50"}'), 2)
  t.equal(valueOf(both, 'event_process_in_flight'), 6)
  t.equal(valueOf(both, 'event_process_queue_dwell_seconds_bucket{le="0.001"}'), 2)
  t.equal(valueOf(both, 'event_process_queue_dwell_seconds_bucket{le="0.002"}'), 4)
  t.equal(valueOf(both, 'event_process_queue_dwell_seconds_bucket{le="3600"}'), 4)
  t.equal(valueOf(both, 'event_process_queue_dwell_seconds_bucket{le="+Inf"}'), 6)
  t.equal(valueOf(both, 'event_process_queue_dwell_seconds_count'), 6)
  t.ok(Math.abs((valueOf(both, 'event_process_queue_dwell_seconds_sum') ?? 0) - 8_000.0042) < 1e-6)
  t.equal(valueOf(both, 'event_process_oldest_in_flight_seconds'), 1.5)
  t.equal(valueOf(both, 'event_process_gate_open'), 0, 'one closed gate shows')
  t.equal(valueOf(both, 'event_process_workers'), 2)

  await metrics.reports.retire(1)
  metrics.reports.restarted()
  const one = await metrics.text()
  t.equal(valueOf(one, 'event_process_batch_rows_sum'), 80)
  t.equal(valueOf(one, 'event_process_in_flight'), 3)
  t.equal(valueOf(one, 'event_process_gate_open'), 1)
  t.equal(valueOf(one, 'event_process_worker_restarts_total'), 1)

  await metrics.reports.retire(0)
  t.equal(valueOf(await metrics.text(), 'event_process_batch_rows_sum'), 80)
})

t.test('50 shadow schemas have series of their own, the same in both counters', async t => {
  const { metrics } = createProcessorMetrics()
  const { totals } = metrics
  const counts = (from: number, to: number, name: string): Record<string, number> =>
    Object.fromEntries(
      Array.from({ length: to - from }, (_, n) => [`${name}/type-${from + n}/*/1`, 2])
    )
  const series = (text: string, name: string): string[] =>
    text.match(new RegExp(`(?<=^event_process_${name}_total\\{schema=")[^"]+`, 'gm')) ?? []
  totals.reported(1, { ...counts(0, 40, 'shadow_checked'), ...counts(30, 40, 'shadow_rejected') })
  await metrics.text()
  totals.reported(2, {
    ...counts(40, 90, 'shadow_checked'),
    ...counts(60, 90, 'shadow_rejected'),
    'shadow_checked/other': 7
  })
  const text = await metrics.text()
  const [checked, rejected] = [series(text, 'shadow_checked'), series(text, 'shadow_rejected')]
  t.equal(checked.length, 51)
  t.ok(checked.includes('other'))
  t.strictSame(
    rejected.filter(schema => !checked.includes(schema)),
    []
  )
  t.equal(valueOf(text, 'event_process_shadow_checked_total{schema="other"}'), 40 * 2 + 7)
  t.equal(valueOf(text, 'event_process_shadow_rejected_total{schema="other"}'), 30 * 2)
  t.equal(valueOf(text, 'event_process_shadow_rejected_total{schema="type-35/*/1"}'), 2)
})
