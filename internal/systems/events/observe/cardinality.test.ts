import { pino } from 'pino'
import t from 'tap'
import type { IntakeWord } from '../../../engine/cluster/intake-watch.js'
import { startHttpServer } from '../../../engine/http/server.js'
import { Intake } from '../../../engine/intake/intake.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import { EQUAL_CLIENTS } from '../../../lab/testing/equal-clients.js'
import { createMemoryEventStore } from '../../../lab/testing/memory-event-store.js'
import { createMemoryQueue } from '../../../lab/testing/memory-queue.js'
import { NO_SUSPECTS } from '../../../lab/testing/no-suspects.js'
import { until } from '../../../lab/testing/until.js'
import { createDecoder } from '../event/decode.js'
import { createIntakeEvents } from './intake-events.js'
import { createProcessorMetrics } from './processor-metrics.js'
import { createWorkerMetrics } from './worker-metrics.js'

const EVENTS = 100_000

t.test('100,000 unknown clients, event types, ids and paths add no series to a scrape', async t => {
  const { metrics: primary } = createProcessorMetrics()
  const { totals } = primary
  const metrics = createWorkerMetrics()
  const hear = async (message: IntakeWord): Promise<void> => {
    if (message.kind === 'committing') totals.announced(1, message.tx, message.counts)
    if (message.kind === 'decided') totals.decided(1, message.tx, message.counts)
  }
  const events = createIntakeEvents({
    log: pino({ level: 'silent' }),
    clock,
    metrics,
    send: hear
  })
  const queue = createMemoryQueue({ clock, visibilityTimeoutS: 600 })
  const store = createMemoryEventStore({ clients: ['client-1'], eventTypes: ['monitor-app'] })
  const intake = new Intake({
    ...EQUAL_CLIENTS,
    queue,
    store,
    decode: createDecoder({ payloadSchemas: { find: () => null } }),
    clock,
    random: Math.random,
    limits: {
      batch: { maxMessages: 1_000, maxBytes: 8_388_608, lingerMs: 0, busyMessages: 100 },
      maxInFlightMessages: 3_000,
      maxInFlightBytes: 67_108_864,
      settleConcurrency: 8,
      settleLingerMs: 1
    },
    journal: events.journal,
    suspectRecord: NO_SUSPECTS,
    observer: events.observer
  })
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    portSetting: 'METRICS_PORT',
    routes: {
      '/metrics': async () => ({
        status: 200,
        contentType: primary.contentType,
        body: await primary.text()
      })
    }
  })
  t.teardown(async () => {
    await intake.stop(1_000)
    await server.close()
    metrics.close()
  })
  const scrape = async (): Promise<string[]> => {
    totals.reported(1, events.sums.counts)
    primary.reports.reported(1, await metrics.snapshot(intake.status))
    const text = await (await fetch(`${server.origin}/metrics`)).text()
    return [...text.matchAll(/^[a-z]\S*(?= )/gm)].map(([series]) => series)
  }
  const settled = (count: number): Promise<void> =>
    until(
      'all are settled',
      () => (events.sums.counts['received'] ?? 0) === count && intake.status.inFlight === 0,
      120_000
    )

  // One event of each outcome first, so that every possible series exists.
  const known = { client_id: 'client-1', event_type: 'monitor-app', message: 'x' }
  await queue.send([
    { body: JSON.stringify(known) },
    { body: JSON.stringify({ ...known, client_id: 'nobody' }) }
  ])
  await settled(2)
  const before = await scrape()
  t.ok(before.filter(one => one.startsWith('event_process_')).length > 50)

  for (let at = 0; at < EVENTS; at += 10) {
    const many = Array.from({ length: 10 }, (_, n) => {
      const name = `name-${at + n}`
      const over = [
        { client_id: name },
        { event_type: name },
        { event_id: name },
        { client_id: `${name}\0` },
        { [name]: name, message: 5 }
      ]
      return { body: JSON.stringify({ ...known, ...over[n % over.length] }) }
    })
    await queue.send(many)
    if (at % 2_000 === 0) await settled(at + 12)
  }
  await settled(EVENTS + 2)
  for (let n = 0; n < 1_000; n++)
    await (
      await fetch(`${server.origin}/path-${n}?q=${n}`, { method: n % 2 === 0 ? 'GET' : 'PUT' })
    ).text()

  const after = await scrape()
  const ours = (series: readonly string[]): string[] =>
    series.filter(one => one.startsWith('event_process_')).toSorted()
  t.same(ours(after), ours(before))
  // Node's own label sets are closed too, but a kind of garbage collection appears only
  // once it has happened.
  t.ok(after.every(one => /^(event_process|nodejs|process)_/.test(one) && !/name-|path-/.test(one)))
  t.equal(totals.sum('rejected/unknown-client'), EVENTS / 5 + 1)
  t.equal(totals.sum('stored'), EVENTS / 5 + 1)
})
