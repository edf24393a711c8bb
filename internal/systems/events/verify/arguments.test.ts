import t from 'tap'
import { ArgumentsError } from '../../../engine/cli/flags.js'
import { parseVerifyArguments, VERIFY_HELP } from './arguments.js'

function problemsOf(...args: readonly string[]): readonly string[] {
  try {
    parseVerifyArguments(args)
    return []
  } catch (error) {
    if (!(error instanceof ArgumentsError)) throw error
    return error.problems
  }
}

t.test('only the ledger is required', async t => {
  t.same(parseVerifyArguments(['--ledger', 'out.ndjson']), {
    kind: 'verify',
    ledger: 'out.ndjson',
    isJson: false,
    waitMs: 0,
    metrics: null
  })
  t.same(
    parseVerifyArguments(
      '--ledger a --json --wait 1.5 --metrics http://127.0.0.1:9464/metrics'.split(' ')
    ),
    {
      kind: 'verify',
      ledger: 'a',
      isJson: true,
      waitMs: 1_500,
      metrics: 'http://127.0.0.1:9464/metrics'
    }
  )
  t.same(parseVerifyArguments(['--help']), { kind: 'help' })
})

t.test('one message names everything that is missing or wrong', async t => {
  t.same(problemsOf(), ['--ledger FILE is missing'])
  t.same(problemsOf('--ledger'), ['--ledger needs a value'])
  t.same(problemsOf('--wait', 'long', '--metrics', 'ftp://host/', 'file'), [
    'file is not understood: options start with --',
    '--wait must be a number from 0 to 86400, not "long"',
    '--ledger FILE is missing',
    '--metrics must be an http(s) address, not "ftp://host/"'
  ])
})

t.test('the help names every option', async t => {
  for (const name of ['ledger', 'json', 'wait', 'metrics']) t.match(VERIFY_HELP, `--${name} `)
})
