import t from 'tap'
import { readSamples } from '../../engine/observe/prometheus-text.js'
import { AlwaysChecks } from './watch.js'

const samples = (stored: number, rejected: number, inFlight = 7) =>
  readSamples(`
# HELP event_process_stored_total Events stored
event_process_stored_total ${stored}
event_process_rejected_total{reason="not-json"} ${rejected}
event_process_rejected_total{reason="conflict"} 1
event_process_in_flight ${inFlight}
process_cpu_seconds_total ${100 - stored}
`)

function setup() {
  const violations: string[] = []
  const checks = new AlwaysChecks(100, violation => violations.push(violation))
  checks.begin(1, { stored: 10, rejected: 2 })
  const look = (
    stored: number,
    rejected: number,
    rows: readonly [number, number] | null = null,
    inFlight = 0,
    life = 1
  ) =>
    checks.look(
      life,
      samples(stored, rejected, inFlight),
      rows && { stored: rows[0], rejected: rows[1] }
    )
  return { checks, violations, look }
}

t.test('our counters may grow with the rows, whatever other programs’ counters do', async t => {
  const { look, violations, checks } = setup()
  look(0, 0)
  look(5, 1, [15, 4])
  look(5, 1, [99, 9])
  t.same(violations, [])
  t.equal(checks.looks, 3)
  t.same(
    checks.totals(samples(5, 1)),
    { stored: 15, rejected: 4 },
    'what was there before this life counts'
  )
})

t.test('a counter that decreases or vanishes is a violation', async t => {
  const { look, violations, checks } = setup()
  look(5, 3)
  look(4, 3)
  checks.look(1, [], null)
  t.match(violations, [
    /stored_total decreased from 5 to 4/,
    /stored_total decreased from 4 to 0/,
    /not-json.* from 3 to 0/,
    /conflict.* from 1 to 0/
  ])
})

t.test(
  'a new primary starts new counters, and a late reading of the old one is ignored',
  async t => {
    const { look, violations, checks } = setup()
    look(5, 3)
    checks.begin(2, { stored: 15, rejected: 6 })
    look(900, 900, [0, 0], 0, 1)
    look(0, 0, null, 0, 2)
    t.same(violations, [])
  }
)

t.test('counters above the number of rows are a violation', async t => {
  const { look, violations } = setup()
  look(6, 1, [15, 3])
  t.match(violations, [/16 stored events, there are 15/, /4 rejected events, there are 3/])
})

t.test('rows that vanish are a violation, also from one life to the next', async t => {
  const { look, violations, checks } = setup()
  look(1, 0, [20, 5])
  look(1, 0, [19, 5])
  checks.begin(2, { stored: 19, rejected: 4 })
  t.match(violations, [/20 stored before, 19 now/, /5 rejected before, 4 now/])
})

t.test('more in flight than allowed is a violation', async t => {
  const { look, violations } = setup()
  look(0, 0, null, 100)
  t.same(violations, [])
  look(0, 0, null, 101)
  t.match(violations, [/101 messages in flight, 100 allowed/])
})
