import { pino } from 'pino'
import type { Counter } from 'prom-client'
import t from 'tap'
import type { DutyFate } from '../../../engine/dispatch/dispatch.js'
import type { PostResult } from '../../../engine/egress/result.js'
import type { Endpoint } from '../delivery/endpoint.js'
import type { DueDelivery } from '../delivery/store/deliveries.js'
import { createDeliveryEvents } from './delivery-events.js'
import { createSenderMetrics } from './sender-metrics.js'

const endpoint: Endpoint = {
  id: 7,
  client: 'client-1',
  url: 'https://recipient.example/events',
  isOrdered: false,
  maxConcurrency: 10,
  maxPerSecond: null,
  timeoutMs: 15_000,
  failingForMs: null,
  circuitOpened: 0,
  signer: { sign: () => '' },
  headers: []
}
const delivery: DueDelivery = {
  id: '1',
  attempts: 0,
  scheduled: 0,
  messageId: 'e',
  eventType: 'user-app',
  payload: '1',
  receivedAtMs: 1_000
}
const result: PostResult = { kind: 'answered', status: 500, responseHead: 'secret', ms: 30 }

function setup() {
  const lines: string[] = []
  const metrics = createSenderMetrics()
  const log = pino({ level: 'debug' }, { write: line => void lines.push(line) })
  const events = createDeliveryEvents({ log, metrics })
  const attempted = (attempt: number, fate: DutyFate): void =>
    events.observer.attempted(endpoint, delivery, {
      dutyId: '1',
      attempt,
      startedAtMs: 3_000,
      result,
      fate
    })
  return { ...events, metrics, lines, attempted }
}

/** The values of a counter, by its label. */
async function counts(counter: Counter): Promise<Readonly<Record<string, number>>> {
  const { values } = await counter.get()
  return Object.fromEntries(
    values.map(({ labels, value }) => [Object.values(labels).join(), value])
  )
}

t.test('attempts are counted by what became of the delivery', async t => {
  const { attempted, metrics, lines } = setup()
  attempted(1, { kind: 'retry', inMs: 1_000 })
  attempted(2, { kind: 'retry', inMs: 1_000 })
  attempted(3, { kind: 'given-up' })
  attempted(1, { kind: 'done' })
  t.same(await counts(metrics.attempts), { retried: 2, dead: 1, delivered: 1 })
  t.notOk(lines.join().includes('secret'), 'and no answer is in the log')
})

t.test('the delay from stored to attempted covers first attempts alone', async t => {
  const { attempted, metrics } = setup()
  attempted(1, { kind: 'retry', inMs: 1_000 })
  attempted(2, { kind: 'done' })
  const { values } = await metrics.firstAttemptDelaySeconds.get()
  const valueOf = (suffix: string) =>
    values.find(({ metricName = '' }) => metricName.endsWith(suffix))?.value
  t.equal(valueOf('_count'), 1)
  t.equal(valueOf('_sum'), 2)
})

t.test('a step that fails is a problem until it works', async t => {
  const { observer, problems } = setup()
  observer.failed('fan-out', new Error('away'))
  observer.failed('record', new Error('away'))
  observer.worked('fan-out')
  t.same([...problems], [['record', 'away']])
  observer.worked('record')
  t.same([...problems], [])
})

t.test('steps keep the names that dashboards know', async t => {
  const { observer, problems, metrics } = setup()
  for (const step of ['fan-out', 'wake-due', 'claim', 'renew', 'lane', 'record'])
    observer.failed(step, new Error('away'))
  const shown = ['fan-out', 'call-due', 'take', 'keep', 'lane', 'record']
  t.same([...problems.keys()], shown)
  t.same(Object.keys(await counts(metrics.failed)), shown)
  for (const step of ['wake-due', 'claim', 'renew']) observer.worked(step)
  t.same([...problems.keys()], ['fan-out', 'lane', 'record'])
})

t.test('a background failure of pg-boss is counted and is not a problem', async t => {
  const { observer, problems, metrics } = setup()
  observer.failed('background', new Error('away'))
  t.same([...problems], [], 'nothing would ever report that it works again')
  t.same(await counts(metrics.failed), { background: 1 })
})
