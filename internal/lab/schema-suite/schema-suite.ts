/**
 * `npm run schema-suite -- DIR`: how much of the official JSON Schema test suite the
 * compiler of payload schemas passes.
 *
 * Errors  a test that fails and is not listed, or passes and is listed, is named, and the
 *         exit code is 1.
 */

import { ArgumentsError, readFlags } from '../../engine/cli/flags.js'
import { ExpectedError, type Service } from '../../engine/lifecycle/service.js'
import { runSuite, type SuiteResult } from './run-suite.js'
import { DRAFTS, readSuite } from './suite-files.js'

const HELP = `Runs the required tests of the official JSON Schema test suite, draft-07 and 2020-12, against the
compiler of payload schemas.

  npm run schema-suite -- DIR

DIR is the suite: a folder that holds tests/draft7 and tests/draft2020-12. Debian has it in a package:

  apt-get download libtest-json-schema-acceptance-perl
  dpkg -x libtest-json-schema-acceptance-perl_*.deb suite
  npm run schema-suite -- suite/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance

Exit code 0 when each test passes or is left out for a listed reason, otherwise 1.
`
const SHOWN_FAILURES = 50

export function createSchemaSuite(args: readonly string[]): Service {
  const flags = readFlags(args, { help: 'switch' }, 1)
  const [directory] = flags.operands
  if (directory === undefined && !flags.isOn('help'))
    flags.problems.push('DIR is missing: the folder of the test suite')
  if (flags.problems.length > 0) throw new ArgumentsError(flags.problems)
  return {
    run() {
      if (directory === undefined || flags.isOn('help')) process.stdout.write(HELP)
      else runAll(directory)
      return Promise.resolve()
    }
  }
}

function runAll(directory: string): void {
  const failures: string[] = []
  let passed = 0
  for (const draft of DRAFTS) {
    const result = runSuite(readSuite(directory, draft))
    process.stdout.write(`${formatSuiteResult(draft.name, result)}\n`)
    passed += result.passed
    failures.push(...result.failures.map(text => `${draft.name} ${text}`))
  }
  for (const text of failures.slice(0, SHOWN_FAILURES)) process.stdout.write(`  FAILED ${text}\n`)
  process.stdout.write(`Schema suite: ${passed} passed, ${failures.length} failed\n`)
  if (failures.length > 0)
    throw new ExpectedError(
      'The test suite and the list of what is left out (left-out.ts) do not agree; see above.'
    )
}

export function formatSuiteResult(
  name: string,
  { passed, passedAsRegistered, leftOut, failures }: SuiteResult
): string {
  const sum = [...leftOut.values()].reduce((total, tests) => total + tests, 0)
  const rows = [...leftOut].map(
    ([{ what, here }, tests]) =>
      `  ${String(tests).padStart(4)} left out  ${what}\n${' '.repeat(17)}${here}`
  )
  return [
    `${name}: ${passed} passed (${passedAsRegistered} as registered), ` +
      `${sum} left out, ${failures.length} failed`,
    ...rows
  ].join('\n')
}
