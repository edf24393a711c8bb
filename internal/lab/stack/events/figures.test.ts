import t from 'tap'
import { describeFigures, readDelivered, readProcessorFigures } from './figures.js'

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
  const figures = readProcessorFigures(text)
  t.same(figures, { received: 1_200, stored: 1_000, duplicates: 150, rejected: 50 })
  t.equal(
    describeFigures({ ...figures, delivered: 0 }),
    'received 1,200 · stored 1,000 · duplicates 150 · rejected 50'
  )
  const sender =
    'event_process_delivery_attempts_total{outcome="retried"} 7\nevent_process_delivery_attempts_total{outcome="delivered"} 1400\n'
  t.match(
    describeFigures({ ...figures, delivered: readDelivered(sender) }),
    / · rejected 50 · delivered 1,400$/
  )
  t.equal(readDelivered(''), 0)
})
