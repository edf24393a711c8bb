import t from 'tap'
import { progressLine, readDelivered, readTotals } from './progress.js'

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
  const now = { ...totals, delivered: 0 }
  t.equal(
    progressLine(now, { ...now, received: 200 }, 2),
    'received 1,200 · stored 1,000 · duplicates 150 · rejected 50 · 500/s'
  )
  const sender =
    'event_process_delivery_attempts_total{outcome="retried"} 7\nevent_process_delivery_attempts_total{outcome="delivered"} 1400\n'
  t.match(
    progressLine({ ...now, delivered: readDelivered(sender) }, now, 1),
    'rejected 50 · delivered 1,400 ·'
  )
  t.equal(readDelivered(''), 0)
})
