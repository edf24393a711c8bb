import t from 'tap'
import { ArgumentsError } from '../../../engine/cli/flags.js'
import { newSecret } from '../delivery/secret.js'
import { parseRecipientArguments } from './arguments.js'

const answersOf = (...args: string[]) => {
  const command = parseRecipientArguments(args)
  return command.kind === 'receive' ? command.answers : null
}

t.test('without options it has a port and no secrets, and accepts everything', async t => {
  t.same(parseRecipientArguments([]), {
    kind: 'receive',
    host: '127.0.0.1',
    port: 8_088,
    secrets: [],
    secretsFile: null,
    answers: { status: 200, latencyMs: 0, failures: { share: 0, status: 500, retryAfterS: null } },
    ledger: null,
    isQuiet: false
  })
  t.same(parseRecipientArguments(['--help', '--port', '1']), { kind: 'help' })
})

t.test('several secrets are separated by commas', async t => {
  const secrets = [newSecret(), newSecret()]
  t.match(parseRecipientArguments(['--secret', secrets.join(',')]), { secrets })
})

t.test('a status alone is for all answers; with a fail rate it is for the failed ones', async t => {
  t.same(answersOf('--status', '204'), {
    status: 204,
    latencyMs: 0,
    failures: { share: 0, status: 500, retryAfterS: null }
  })
  t.same(answersOf('--status', '410'), {
    status: 200,
    latencyMs: 0,
    failures: { share: 1, status: 410, retryAfterS: null }
  })
  t.same(answersOf('--fail-rate', '2.5'), {
    status: 200,
    latencyMs: 0,
    failures: { share: 0.025, status: 500, retryAfterS: null }
  })
  t.same(
    answersOf('--fail-rate', '50', '--status', '429', '--retry-after', '7', '--latency', '20'),
    {
      status: 200,
      latencyMs: 20,
      failures: { share: 0.5, status: 429, retryAfterS: 7 }
    }
  )
})

t.test('one message names every problem, and repeats no secret', async t => {
  const wrong = [
    '--secret',
    `${newSecret()},whsec_hunter2`,
    '--port',
    '70000',
    '--fail-rate',
    '101',
    '--status',
    '99',
    '--latncy=5',
    'x'
  ]
  t.throws(() => parseRecipientArguments(wrong), ArgumentsError)
  try {
    parseRecipientArguments(wrong)
  } catch (error) {
    const { problems } = error as ArgumentsError
    t.same(
      problems.map(problem => /--[a-z-]+|^x/.exec(problem)?.[0]),
      ['--latncy', 'x', '--port', '--secret', '--fail-rate', '--status']
    )
    t.match(problems[0], /did you mean --latency/)
    t.notMatch(problems.join('\n'), /hunter2/)
  }
})

t.test('options that contradict each other are refused', async t => {
  t.throws(() => answersOf('--fail-rate', '10', '--status', '204'), /204 is not a failure/)
  t.throws(() => answersOf('--retry-after', '10'), /needs --fail-rate/)
  t.throws(() => answersOf('--retry-after', '10', '--status', '204'), /needs --fail-rate/)
})
