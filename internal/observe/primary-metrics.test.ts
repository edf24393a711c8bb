import t from 'tap'
import { PrimaryMetrics } from './primary-metrics.js'
import { Totals } from './totals.js'
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

t.test('a scrape shows totals by their names, with every reason present from the start', async t => {
  const totals = new Totals()
  totals.reported(1, { stored: 5, 'rejected/conflict': 2, 'flush/free': 1 })
  const text = await new PrimaryMetrics(totals).text()
  t.equal(valueOf(text, 'event_process_stored_total'), 5)
  t.equal(valueOf(text, 'event_process_rejected_total{reason="conflict"}'), 2)
  t.equal(valueOf(text, 'event_process_rejected_total{reason="too-deep"}'), 0)
  t.equal(valueOf(text, 'event_process_flush_total{cause="free"}'), 1)
  t.equal(valueOf(text, 'event_process_workers'), 0)
})

t.test('histograms and gauges of workers are added up; a dead worker leaves its histograms and takes its gauges along', async t => {
  const metrics = new PrimaryMetrics(new Totals())
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
