import t from 'tap'
import { ArgumentsError } from '../../../engine/cli/flags.js'
import { PRODUCERS_HELP, parseProducersArguments } from './arguments.js'

const DEFAULTS = {
  kind: 'load',
  count: null,
  ratePerSecond: null,
  concurrency: 8,
  duplicates: 0,
  invalid: 0,
  ledger: null,
  clients: ['client-1', 'client-2', 'client-3'],
  bodyBytes: 350,
  seed: null
}

function problemsOf(args: readonly string[]): readonly string[] {
  try {
    parseProducersArguments(args)
    return []
  } catch (error) {
    if (!(error instanceof ArgumentsError)) throw error
    return error.problems
  }
}

t.test('no arguments start the fake producers, any load option the load generator', async t => {
  t.same(parseProducersArguments([]), { kind: 'fake' })
  t.same(parseProducersArguments(['--count', '10']), { ...DEFAULTS, count: 10 })
  t.same(parseProducersArguments(['--rate=2.5']), { ...DEFAULTS, ratePerSecond: 2.5 })
  t.same(parseProducersArguments(['--help', '--count', '10']), { kind: 'help' })
})

t.test('every option is read', async t => {
  const line =
    '--count 100000 --rate 500 --concurrency 16 --duplicates 10 --invalid 5% --ledger out.ndjson ' +
    '--clients a,b --body-bytes 1048576 --seed 7'
  t.same(parseProducersArguments(line.split(' ')), {
    kind: 'load',
    count: 100_000,
    ratePerSecond: 500,
    concurrency: 16,
    duplicates: 0.1,
    invalid: 0.05,
    ledger: 'out.ndjson',
    clients: ['a', 'b'],
    bodyBytes: 1_048_576,
    seed: '7'
  })
})

t.test('percentages go from 0 to 100, and so does their sum', async t => {
  t.match(parseProducersArguments(['--duplicates', '100']), { duplicates: 1 })
  t.match(parseProducersArguments(['--duplicates', '0.5%']), { duplicates: 0.005 })
  t.match(parseProducersArguments(['--duplicates', '60', '--invalid', '40']), {
    duplicates: 0.6,
    invalid: 0.4
  })
  t.same(problemsOf(['--duplicates', '101']), [
    '--duplicates must be a number from 0 to 100, not "101"'
  ])
  t.same(problemsOf(['--duplicates', '60', '--invalid', '41']), [
    '--duplicates and --invalid together must not exceed 100'
  ])
})

t.test('one message names every problem', async t => {
  const line =
    '--count ten --rate 0 --concurrency 0 --body-bytes 255 --clients a,,b --ledger --bogus ' +
    '-x file --seed 1 --seed 2'
  t.same(problemsOf(line.split(' ')), [
    '--ledger needs a value',
    '-x is not an option of this program',
    'file is not understood: options start with --',
    '--seed is given twice',
    '--count must be a whole number from 1 to 9007199254740991, not "ten"',
    '--rate must be a number from 0.001 to 1000000, not "0"',
    '--concurrency must be a whole number from 1 to 1000, not "0"',
    '--clients must be names separated by commas, not "a,,b"',
    '--body-bytes must be a whole number from 256 to 1048576, not "255"'
  ])
})

t.test('a number is written in digits: no other notation is read', async t => {
  for (const text of ['', ' ', '1e3', '0x10', '-5', '1.5', 'Infinity', 'NaN']) {
    t.throws(
      () => parseProducersArguments(['--count', text]),
      { name: 'ArgumentsError' },
      JSON.stringify(text)
    )
  }
  t.same(problemsOf(['--count']), ['--count needs a value'])
  t.same(problemsOf(['--help=yes']), ['--help takes no value'])
  t.same(problemsOf(['--__proto__=1']), ['--__proto__ is not an option of this program'])
})

t.test('the help names every option and has examples', async t => {
  for (const name of [
    'count',
    'rate',
    'concurrency',
    'duplicates',
    'invalid',
    'ledger',
    'clients',
    'body-bytes',
    'seed'
  ]) {
    t.match(PRODUCERS_HELP, `--${name} `)
  }
  t.match(PRODUCERS_HELP, 'Examples')
})
