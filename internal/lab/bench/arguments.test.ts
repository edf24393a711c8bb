import t from 'tap'
import { type BenchArguments, eventsFor, parseBenchArguments } from './arguments.js'
import { SCENARIOS } from './scenarios.js'

const run = (...args: string[]): BenchArguments => {
  const command = parseBenchArguments(args)
  if (command.kind !== 'run') throw new Error(`expected a run, got ${command.kind}`)
  return command
}

t.test('without options each scenario runs three times, with --quick once', async t => {
  t.match(run(), {
    isQuick: false,
    rounds: 3,
    workers: 1,
    pollers: 10,
    scale: 1,
    scenarios: SCENARIOS,
    jsonFile: null,
    plotFile: null
  })
  t.match(run('--quick'), {
    isQuick: true,
    rounds: 1,
    scenarios: SCENARIOS.filter(({ isInQuickRun }) => isInQuickRun)
  })
  t.match(run('--quick', '--rounds', '2'), { isQuick: true, rounds: 2 })
})

t.test('chosen scenarios keep their order, so that tables can be compared', async t => {
  t.strictSame(
    run('--only', 'ours, naive').scenarios.map(({ name }) => name),
    ['naive', 'ours']
  )
})

t.test('all mistakes are named at once', async t => {
  t.throws(() => run('--only', 'ours,theirs', '--rounds', '0', '--fast'), {
    name: 'ArgumentsError',
    problems: [
      /^--fast/,
      /^--rounds must be a whole number from 1/,
      /^--only: theirs is not a scenario/
    ]
  })
})

t.test('help wins over a run, not over a mistake', async t => {
  t.strictSame(parseBenchArguments(['--help']), { kind: 'help' })
  t.throws(() => parseBenchArguments(['--help', '--workers', 'x']), { name: 'ArgumentsError' })
})

t.test('--scale changes the events in whole hundreds, and leaves at least one hundred', async t => {
  const [scenario] = SCENARIOS.map(one => ({ ...one, events: 5_000, quickEvents: 2_000 }))
  t.ok(scenario)
  if (scenario === undefined) return
  t.equal(eventsFor(scenario, { isQuick: false, scale: 1 }), 5_000)
  t.equal(eventsFor(scenario, { isQuick: true, scale: 1 }), 2_000)
  t.equal(eventsFor(scenario, { isQuick: true, scale: 0.333 }), 700)
  t.equal(eventsFor(scenario, { isQuick: true, scale: 0.001 }), 100)
})

t.test('each kind of bench reads its own options', async t => {
  t.match(parseBenchArguments(['--by-workers', '1,2,4', '--rounds', '2']), {
    kind: 'by-workers',
    counts: [1, 2, 4],
    run: { rounds: 2 }
  })
  t.strictSame(parseBenchArguments(['--table-growth']), {
    kind: 'table-growth',
    rows: 10_000_000,
    jsonFile: null
  })
  t.strictSame(parseBenchArguments(['--schema-cost', '--json', 'a.json']), {
    kind: 'schema-cost',
    jsonFile: 'a.json'
  })
  t.match(parseBenchArguments(['--schemas', '--rounds', '2']), {
    kind: 'schemas',
    run: { rounds: 2 }
  })
  t.match(parseBenchArguments(['--table-growth', '--rows', '100000']), { rows: 100_000 })
  t.strictSame(parseBenchArguments(['compare', 'a.json', 'b.json']), {
    kind: 'compare',
    before: 'a.json',
    after: 'b.json'
  })
})

t.test('an option of one bench is refused with another', async t => {
  const refused: readonly [readonly string[], RegExp][] = [
    [['--rows', '100000'], /^--rows goes with --table-growth/],
    [['--table-growth', '--by-workers', '1'], /are separate benches/],
    [['--schemas', '--schema-cost'], /are separate benches/],
    [['--by-workers', '1,1'], /^--by-workers must be different whole numbers/],
    [['--by-workers', '0'], /^--by-workers must be/],
    [['compare', 'a.json'], /^compare takes two/],
    [['compare', 'a.json', 'b.json', 'c.json'], /^compare takes two/]
  ]
  for (const [args, problem] of refused)
    t.throws(
      () => parseBenchArguments(args),
      { name: 'ArgumentsError', problems: [problem] },
      args.join(' ')
    )
})
