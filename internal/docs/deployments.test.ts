import { readFileSync } from 'node:fs'
import t from 'tap'
import { createProcessorMetrics } from '../systems/events/observe/processor-metrics.js'
import {
  createSenderMetrics,
  createSenderPrimaryMetrics
} from '../systems/events/observe/sender-metrics.js'
import { createWorkerMetrics } from '../systems/events/observe/worker-metrics.js'

const read = (name: string): string =>
  readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')

t.test('alerts, dashboard and manual speak of metrics that exist', async t => {
  const worker = createWorkerMetrics()
  t.teardown(() => worker.close())
  const primary = createProcessorMetrics().metrics
  const status = {
    inFlight: 0,
    inFlightBytes: 0,
    held: 0,
    oldestInFlightMs: 0,
    isGateOpen: true,
    gateReasons: [],
    sinceReceiveMs: 0,
    receiveProblem: null
  }
  primary.reports.reported(1, await worker.snapshot(status))
  const sender = createSenderPrimaryMetrics().metrics
  sender.reports.reported(1, await createSenderMetrics().snapshot(0))
  const namesIn = (text: string) =>
    new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name))
  const namesOfProcessor = namesIn(await primary.text())
  const namesOfSender = namesIn(await sender.text())
  const names = new Set([...namesOfProcessor, ...namesOfSender])
  for (const file of ['deployments/prometheus-alerts.yml', 'deployments/grafana-dashboard.json']) {
    const used = new Set(
      [...read(file).matchAll(/\bevent_process_[a-z_]+/g)].map(([name]) =>
        name.replace(/_(bucket|sum|count)$/, '')
      )
    )
    t.ok(used.size > 5, file)
    for (const name of used) t.ok(names.has(name), `${file}: ${name}`)
  }
  for (const [head, known] of [
    ['metric', namesOfProcessor],
    ['metric of the sender', namesOfSender]
  ] as const) {
    const table =
      new RegExp(`\\| ${head} \\| meaning \\|\\n(?:\\|.*\\n)+`).exec(
        read('internal/docs/metrics.md')
      )?.[0] ?? ''
    const told = [...table.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([a-z_]+)/g)].map(([, name]) => name ?? '')
    )
    const ours = [...known]
      .filter(name => name.startsWith('event_process_'))
      .map(name => name.slice('event_process_'.length))
    t.same(
      told.toSorted(),
      ours.toSorted(),
      `${head}: metrics.md explains each of ours, and no other`
    )
  }
})
