import t from 'tap'
import { progressLine, readTotals } from './progress.js'

t.test('totals are read from the metrics text, labels added up', async t => {
  const text = [
    '# HELP event_process_stored_total Events',
    'event_process_received_total 1200',
    'event_process_stored_total 1000',
    'event_process_duplicate_total 150',
    'event_process_rejected_total{reason="not-json"} 40',
    'event_process_rejected_total{reason="conflict"} 10',
    'event_process_stored_total_other 7'
  ].join('\n')
  const totals = readTotals(text)
  t.same(totals, { received: 1_200, stored: 1_000, duplicates: 150, rejected: 50 })
  t.equal(progressLine(totals, { ...totals, received: 200 }, 2), 'received 1,200 · stored 1,000 · duplicates 150 · rejected 50 · 500/s')
})
