import { execFile } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'

const PREPARE = fileURLToPath(new URL('../../../.config/prepare.mjs', import.meta.url))

/**
 * Notes its arguments; "installs" the compiler below and the list that npm leaves of what
 * it installed.
 */
const NPM = `
  const { appendFileSync, copyFileSync, mkdirSync } = require('node:fs')
  appendFileSync('calls', 'npm ' + process.argv.slice(2).join(' ') + '\\n')
  if (process.env.NPM_FAILS) {
    console.error('npm error code ENOTFOUND\\nnpm error errno ENOTFOUND\\nnpm error network request to the registry failed')
    console.error('npm error A complete log of this run can be found in: a file')
    process.exit(1)
  }
  mkdirSync('node_modules/typescript/bin', { recursive: true })
  copyFileSync('tsc.cjs', 'node_modules/typescript/bin/tsc')
  copyFileSync('package-lock.json', 'node_modules/.package-lock.json')`

/** Notes that it ran; "compiles" by copying. */
const TSC = `
  const { appendFileSync, cpSync, readdirSync, renameSync, writeFileSync } = require('node:fs')
  appendFileSync('calls', 'tsc\\n')
  for (const name of readdirSync('internal')) {
    cpSync('internal/' + name, 'dist/internal/' + name.replace('.ts', '.js'))
    writeFileSync('dist/internal/' + name.replace('.ts', '.js.map'), '')
  }
  process.exit(process.env.TSC_FAILS ? 2 : 0)`

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function setup(t: Test, lock: object = { packages: { '': {} } }) {
  const root = t.testdir({
    '.config': {},
    internal: { 'a.ts': 'a', 'b.ts': 'b' },
    'package.json': '{}',
    'package-lock.json': JSON.stringify(lock),
    'tsconfig.json': '{}',
    'npm-cli.js': NPM,
    'tsc.cjs': TSC
  })
  const script = join(root, '.config', 'prepare.mjs')
  copyFileSync(PREPARE, script)
  const prepare = (env: Record<string, string> = {}) =>
    new Promise<Outcome>(settle => {
      const options = { env: { npm_execpath: join(root, 'npm-cli.js'), ...env } }
      const child = execFile(process.execPath, [script], options, (_error, stdout, stderr) =>
        settle({ code: child.exitCode ?? -1, stdout, stderr })
      )
    })
  /** What ran since the last look. */
  const calls = () => {
    const file = join(root, 'calls')
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
    rmSync(file, { force: true })
    return lines
  }
  return { root, prepare, calls }
}

const CI = 'npm ci --include=dev --include=optional --no-audit --no-fund --loglevel=error'
const INSTALLING = 'Installing the packages (npm ci): this takes a minute the first time ...\n'
const BUILDING = 'Building ...\n'

await t.test(
  'an installation that was interrupted is done again, however complete it looks',
  async t => {
    const { prepare, calls, root } = setup(t)
    t.equal((await prepare()).code, 0)
    calls()
    writeFileSync(join(root, 'dist', '.installing'), '')
    t.equal((await prepare()).code, 0)
    t.match(calls()[0], /^npm ci/)
    t.equal((await prepare()).code, 0)
    t.same(calls(), [])
  }
)

await t.test(
  'the first start installs and builds, the next one does nothing and says nothing',
  async t => {
    const { prepare, calls } = setup(t)
    t.same(await prepare({ NODE_ENV: 'production' }), {
      code: 0,
      stdout: INSTALLING + BUILDING,
      stderr: ''
    })
    t.same(calls(), [CI, 'tsc'])
    t.same(await prepare(), { code: 0, stdout: '', stderr: '' })
    t.same(calls(), [])
  }
)

await t.test(
  'a changed, new or deleted source is built, and what was built from a deleted one goes',
  async t => {
    const { root, prepare, calls } = setup(t)
    await prepare()
    calls()
    writeFileSync(join(root, 'internal', 'a.ts'), 'another a')
    t.same(await prepare(), { code: 0, stdout: BUILDING, stderr: '' })
    t.equal(readFileSync(join(root, 'dist', 'internal', 'a.js'), 'utf8'), 'another a')
    rmSync(join(root, 'internal', 'b.ts'))
    await prepare()
    for (const name of ['b.js', 'b.js.map'])
      t.notOk(existsSync(join(root, 'dist', 'internal', name)), name)
    writeFileSync(join(root, 'internal', 'c.ts'), 'c')
    await prepare()
    t.ok(existsSync(join(root, 'dist', 'internal', 'c.js')))
    t.same(calls(), ['tsc', 'tsc', 'tsc'])
  }
)

await t.test('what somebody deleted is made again: one output, dist, node_modules', async t => {
  const { root, prepare, calls } = setup(t)
  await prepare()
  calls()
  writeFileSync(join(root, 'dist', '.tsbuildinfo'), 'all is written')
  rmSync(join(root, 'dist', 'internal', 'a.js'))
  await prepare()
  t.same(calls(), ['tsc'])
  t.notOk(existsSync(join(root, 'dist', '.tsbuildinfo')), 'the compiler may not believe its notes')
  rmSync(join(root, 'dist'), { recursive: true })
  await prepare()
  t.same(calls(), ['tsc'])
  rmSync(join(root, 'node_modules'), { recursive: true })
  await prepare()
  t.same(calls(), [CI])
})

await t.test('a failed build is built again at the next start', async t => {
  const { prepare, calls } = setup(t)
  t.match(await prepare({ TSC_FAILS: 'yes' }), {
    code: 1,
    stderr: 'Building failed: the compiler names the places above.\n'
  })
  calls()
  t.match(await prepare(), { code: 0 })
  t.same(calls(), ['tsc'])
})

await t.test(
  'packages that somebody else installed are used if they are the ones in the lock file',
  async t => {
    const entry = (version: string) => ({ version, integrity: `sum of ${version}` })
    const own = { os: [process.platform], cpu: [process.arch], optional: true }
    const other = { os: ['another'], cpu: [process.arch], optional: true }
    const installed = {
      'node_modules/x': entry('2.0.0'),
      'node_modules/own': { ...entry('1.0.0'), ...own }
    }
    const wanted = { '': {}, ...installed, 'node_modules/other': { ...entry('1.0.0'), ...other } }
    const withoutOwn = { 'node_modules/x': entry('2.0.0') }
    const rows = [
      { why: 'all that this machine needs', packages: installed, want: ['tsc'] },
      {
        why: 'another version',
        packages: { ...installed, 'node_modules/x': entry('1.0.0') },
        want: [CI, 'tsc']
      },
      { why: 'the part for this machine is missing', packages: withoutOwn, want: [CI, 'tsc'] }
    ]
    for (const { why, packages, want } of rows) {
      await t.test(why, async t => {
        const { root, prepare, calls } = setup(t, { packages: wanted })
        mkdirSync(join(root, 'node_modules', 'typescript', 'bin'), { recursive: true })
        symlinkSync(join(root, 'tsc.cjs'), join(root, 'node_modules', 'typescript', 'bin', 'tsc'))
        writeFileSync(
          join(root, 'node_modules', '.package-lock.json'),
          JSON.stringify({ packages })
        )
        t.match(await prepare(), { code: 0 })
        t.same(calls(), want)
      })
    }
  }
)

await t.test('a changed lock file installs again', async t => {
  const { root, prepare, calls } = setup(t)
  await prepare()
  calls()
  writeFileSync(
    join(root, 'package-lock.json'),
    JSON.stringify({ packages: { 'node_modules/x': { version: '1.0.0' } } })
  )
  await prepare()
  t.same(calls(), [CI, 'tsc'])
})

await t.test('a failed install is one line with the reason, and tried again', async t => {
  const { prepare, calls } = setup(t)
  t.match(await prepare({ NPM_FAILS: 'yes' }), {
    code: 1,
    stderr: 'Installing the packages failed: ENOTFOUND: network request to the registry failed\n'
  })
  t.match(await prepare({ npm_execpath: '', PATH: '' }), {
    code: 1,
    stderr: /^Installing the packages failed: npm does not run .*\n$/
  })
  t.same(calls(), [CI])
  t.match(await prepare(), { code: 0 })
})

await t.test('of two that start at once, one does the work and the other waits for it', async t => {
  const { root, prepare, calls } = setup(t)
  const outcomes = await Promise.all([prepare(), prepare()])
  t.match(outcomes, [{ code: 0 }, { code: 0 }])
  t.same(calls(), [CI, 'tsc'])
  t.notOk(existsSync(join(root, 'dist', '.preparing')))
})

await t.test('the lock of a start that was killed is taken over', async t => {
  const { root, prepare, calls } = setup(t)
  mkdirSync(join(root, 'dist'))
  writeFileSync(join(root, 'dist', '.preparing'), '999999999 killed')
  t.match(await prepare(), { code: 0 })
  t.same(calls(), [CI, 'tsc'])
})
