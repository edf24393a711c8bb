import t from 'tap'
import { type BenchArguments, eventsFor, parseBenchArguments } from './arguments.js'
import { SCENARIOS } from './scenarios.js'

const run = (...args: string[]): BenchArguments => {
  const command = parseBenchArguments(args)
  if (command.kind === 'help') throw new Error('help was not asked for')
  return command
}

t.test('without options everything runs three times, quickly once', async t => {
  t.match(run(), { isQuick: false, rounds: 3, workers: 1, pollers: 10, scale: 1, scenarios: SCENARIOS, jsonFile: null, plotFile: null })
  t.match(run('--quick'), { isQuick: true, rounds: 1, scenarios: SCENARIOS })
  t.match(run('--quick', '--rounds', '2'), { isQuick: true, rounds: 2 })
})

t.test('chosen scenarios keep their order, so that tables can be compared', async t => {
  t.strictSame(
    run('--only', 'ours, naive').scenarios.map(({ name }) => name),
    ['naive', 'ours']
  )
})

t.test('everything that is wrong is named at once', async t => {
  t.throws(() => run('--only', 'ours,theirs', '--rounds', '0', '--fast'), {
    name: 'ArgumentsError',
    problems: [/^--fast/, /^--rounds must be a whole number from 1/, /^--only: theirs is no scenario/]
  })
})

t.test('help wins over a run, not over a mistake', async t => {
  t.strictSame(parseBenchArguments(['--help']), { kind: 'help' })
  t.throws(() => parseBenchArguments(['--help', '--workers', 'x']), { name: 'ArgumentsError' })
})

t.test('the events of a scenario follow the scale, in whole hundreds and never none', async t => {
  const [scenario] = SCENARIOS.map(one => ({ ...one, events: 5_000, quickEvents: 2_000 }))
  t.ok(scenario)
  if (scenario === undefined) return
  t.equal(eventsFor(scenario, { isQuick: false, scale: 1 }), 5_000)
  t.equal(eventsFor(scenario, { isQuick: true, scale: 1 }), 2_000)
  t.equal(eventsFor(scenario, { isQuick: true, scale: 0.333 }), 700)
  t.equal(eventsFor(scenario, { isQuick: true, scale: 0.001 }), 100)
})
