import t from 'tap'
import type { Disposition } from '../../../engine/message/message.js'
import { CounterSums, OTHER_LABEL } from '../../../engine/observe/counters.js'
import type { EventEntry } from '../event/event.js'
import { ClientMetrics, combinations, MAX_CLIENT_LABELS } from './client-metrics.js'
import { createProcessorMetrics } from './processor-metrics.js'

const entry = (clientId: string | null): EventEntry => {
  const message = { id: '1', token: '1', body: '', bytes: 1, receiveCount: 1, sentAtMs: 0 }
  const nothing = { eventType: null, messageId: null, payload: null, violations: [] }
  return {
    message,
    verdict: { kind: 'rejected', rejection: { reason: 'not-json', clientId, ...nothing } }
  }
}
const seriesOf = (text: string): string[] =>
  text.split('\n').filter(line => line.startsWith('event_process_client_'))

t.test('each client with a label has counters; unknown and missing names are other', async t => {
  const metrics = new ClientMetrics()
  metrics.label(['a', 'b'])
  const rows: readonly (readonly [client: string | null, Disposition])[] = [
    ['a', 'stored'],
    ['a', 'stored'],
    ['b', 'duplicate'],
    ['a', 'over-quota'],
    ['x/y', 'unknown-client'],
    [null, 'not-json']
  ]
  const entries = rows.map(([client]) => entry(client))
  const dispositions = rows.map(([, disposition]) => disposition)
  const expected = {
    'client_stored/a': 2,
    'client_duplicate/b': 1,
    'client_rejected/over-quota/a': 1,
    'client_rejected/unknown-client/other': 1,
    'client_rejected/not-json/other': 1
  }
  t.same(metrics.count(entries, dispositions), expected)
  t.same(
    metrics.count([entries[0]!], ['stored']),
    { 'client_stored/a': 1 },
    'each batch counts for itself'
  )
  const keys = new Set(
    [
      ...combinations('client_rejected', ['a', 'b']),
      ...combinations('client_stored', ['a', 'b'])
    ].map(([key]) => key)
  )
  for (const key of Object.keys(expected))
    t.ok(keys.has(key) || key.startsWith('client_duplicate'), `${key} is read`)
})

t.test('a label given later counts from then on; no client can take the label other', async t => {
  const metrics = new ClientMetrics()
  t.same(metrics.count([entry('late'), entry(OTHER_LABEL)], ['stored', 'stored']), {
    'client_stored/other': 2
  })
  metrics.label(['late', OTHER_LABEL])
  const entries = [entry('late'), entry(OTHER_LABEL), entry('nobody')]
  t.same(metrics.count(entries, ['stored', 'stored', 'stored']), {
    'client_stored/late': 1,
    'client_stored/other': 2
  })
})

t.test('a scrape has dead workers’ sums too, and a series for each label and other', async t => {
  const primary = createProcessorMetrics()
  const { totals } = primary.metrics
  primary.label(['a', 'quote"d'])
  const sums = new CounterSums()
  sums.addAll({ 'client_stored/a': 3, 'client_stored/quote"d': 2 })
  totals.announced(1, '7', { 'client_stored/a': 1 })
  totals.reported(1, sums.counts)
  await totals.retire(1, () => Promise.resolve(true))
  const series = seriesOf(await primary.metrics.text())
  t.ok(series.includes('event_process_client_stored_total{client="a"} 4'))
  t.ok(series.includes('event_process_client_stored_total{client="quote\\"d"} 2'))
  t.ok(series.includes('event_process_client_stored_total{client="other"} 0'))
})

t.test('a scrape stays small with the maximum number of labels', async t => {
  const primary = createProcessorMetrics()
  const labels = Array.from({ length: MAX_CLIENT_LABELS }, (_, n) => `client-${n}`)
  primary.label(labels)
  const metrics = new ClientMetrics()
  metrics.label(labels)
  for (let n = 0; n < 1_000; n++) metrics.dwelt(entry(`client-${n}`), 0.1)
  const { values } = metrics.toMetric('dwell', 'help') as { values: object[] }
  t.ok(
    seriesOf(await primary.metrics.text()).length + values.length <= (MAX_CLIENT_LABELS + 1) * 35
  )
})
