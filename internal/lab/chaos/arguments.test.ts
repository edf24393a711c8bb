import t from 'tap'
import { CHAOS_HELP, parseChaosArguments } from './arguments.js'
import { FAULT_KINDS } from './faults.js'

t.test(
  'by default there are half as many faults as kills, and half of both at the sender',
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

t.test('every option can be set', async t => {
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

t.test('every wrong argument is named at once, too few events for the plan included', async t => {
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
    message: /nothing would happen/
  })
})

t.test('the help names every fault', async t => {
  t.same(parseChaosArguments(['--help']), { kind: 'help' })
  for (const kind of FAULT_KINDS) t.ok(CHAOS_HELP.includes(kind), kind)
})
