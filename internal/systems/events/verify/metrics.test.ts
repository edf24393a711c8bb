import t from 'tap'
import { readMetricTotals } from './metrics.js'

t.test('a counter is the sum over its label sets, without counters of longer names', async t => {
  const text = `# HELP event_process_stored_total Events stored
# TYPE event_process_stored_total counter
event_process_stored_total{client="client-1"} 40
event_process_stored_total{client="a } 7 {b"} 2 1700000000000
event_process_stored_total_other 1000
event_process_rejected_total{reason="not-json"} 3
event_process_rejected_total{reason="conflict"} 1e1
process_cpu_seconds_total 5
`
  t.same(readMetricTotals(text), { stored: 42, rejected: 13 })
})

t.test('a counter without labels is read, and a missing one is zero', async t => {
  t.same(readMetricTotals('event_process_stored_total 5\n'), { stored: 5, rejected: 0 })
  t.same(readMetricTotals(''), { stored: 0, rejected: 0 })
})
