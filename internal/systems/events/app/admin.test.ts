import t from 'tap'
import { runAdminProgram } from '../../../lab/testing/admin-program.js'
import { serviceEnvironment } from '../../../lab/testing/programs.js'

t.test(
  'a misspelt command gets a suggestion and exit code 2, before any service is opened',
  async t => {
    const rows: readonly (readonly [args: string, want: RegExp])[] = [
      ['rejection ls', /did you mean rejections\?/],
      ['rejections ls --clinet=a', /did you mean --client\?/],
      ['dead-letters purge --all', /--yes is missing/]
    ]
    for (const [args, want] of rows)
      t.match(
        await runAdminProgram(t, {}, args.split(' ')),
        { code: 2, results: '', output: want },
        args
      )
  }
)

t.test('help needs no services', async t => {
  t.match(await runAdminProgram(t, {}, ['--help']), {
    code: 0,
    results: /rejections .*\n.*dead-letters .*\n.*endpoints .*\n.*deliveries .*\n.*trace /
  })
  t.match(await runAdminProgram(t, {}, ['rejections', 'redrive', '--help']), {
    code: 0,
    results: /--dry-run/
  })
})

t.test('an unreachable database or queue is one line and exit code 1', async t => {
  const nowhere = serviceEnvironment('postgresql://127.0.0.1:1/nowhere', {
    endpoint: 'http://127.0.0.1:1'
  })
  const rows: readonly (readonly [args: string, want: RegExp])[] = [
    ['rejections ls', /The database query failed: .*ECONNREFUSED/],
    ['dead-letters ls', /The queue request failed: .*ECONNREFUSED/]
  ]
  for (const [args, want] of rows) {
    const failed = await runAdminProgram(t, nowhere, args.split(' '))
    t.match(failed, { code: 1, results: '', output: want })
    t.notMatch(failed.output, /\n\s+at /)
  }
})
