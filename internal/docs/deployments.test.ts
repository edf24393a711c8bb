import { readFileSync } from 'node:fs'
import t from 'tap'
import { PrimaryMetrics } from '../observe/primary-metrics.js'
import { Totals } from '../observe/totals.js'
import { createWorkerMetrics } from '../observe/worker-metrics.js'

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')

t.test('alerts, dashboard and README speak of metrics that exist', async t => {
  const worker = createWorkerMetrics()
  t.teardown(() => worker.close())
  const primary = new PrimaryMetrics(new Totals())
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
  const names = new Set([...(await primary.text()).matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name))
  for (const file of ['deployments/prometheus-alerts.yml', 'deployments/grafana-dashboard.json']) {
    const used = new Set([...read(file).matchAll(/\bevent_process_[a-z_]+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, '')))
    t.ok(used.size > 5, file)
    for (const name of used) t.ok(names.has(name), `${file}: ${name}`)
  }
  const table = /\| metric \| meaning \|\n(?:\|.*\n)+/.exec(read('README.md'))?.[0] ?? ''
  const told = [...table.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([a-z_]+)/g)].map(([, name]) => name ?? '')
  )
  const ours = [...names].filter(name => name.startsWith('event_process_')).map(name => name.slice('event_process_'.length))
  t.same(told.toSorted(), ours.toSorted(), 'the README explains each metric of ours, and no other')
})
