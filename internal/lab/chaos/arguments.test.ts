import t from 'tap'
import { CHAOS_HELP, parseChaosArguments } from './arguments.js'
import { FAULT_KINDS } from './faults.js'

t.test(
  'without options there is a run, with half as many faults as kills, and half as many as both at the sender',
  async t => {
    t.same(parseChaosArguments([]), {
      kind: 'run',
      seed: null,
      events: 20_000,
      kills: 20,
      faults: 10,
      deliveryFaults: 15,
      workers: 3,
      jsonFile: null
    })
    t.match(parseChaosArguments(['--kills', '200', '--events', '200000']), {
      kills: 200,
      faults: 100,
      deliveryFaults: 150
    })
  }
)

t.test('everything can be chosen', async t => {
  const args = [
    '--seed',
    's',
    '--events',
    '1000',
    '--kills',
    '0',
    '--faults',
    '27',
    '--sender-faults',
    '13',
    '--workers',
    '1',
    '--json',
    'x.json'
  ]
  t.same(parseChaosArguments(args), {
    kind: 'run',
    seed: 's',
    events: 1_000,
    kills: 0,
    faults: 27,
    deliveryFaults: 13,
    workers: 1,
    jsonFile: 'x.json'
  })
})

t.test('all that is wrong is named at once, and too few events for the plan are wrong', async t => {
  t.throws(() => parseChaosArguments(['--workers', '0', '--kills', 'x', '--what']), {
    message: /--what[^]*--kills[^]*--workers/
  })
  t.throws(() => parseChaosArguments(['--kills', '10', '--faults', '5', '--events', '299']), {
    message: /at least 300/
  })
  t.doesNotThrow(() => parseChaosArguments(['--kills', '10', '--faults', '5', '--events', '300']))
  t.throws(() => parseChaosArguments(['--kills', '1', '--faults', '1', '--sender-faults', '3']), {
    message: /must be at most 2/
  })
  t.throws(() => parseChaosArguments(['--kills', '0', '--faults', '0']), {
    message: /nothing to do/
  })
})

t.test('help names every fault', async t => {
  t.same(parseChaosArguments(['--help']), { kind: 'help' })
  for (const kind of FAULT_KINDS) t.ok(CHAOS_HELP.includes(kind), kind)
})
