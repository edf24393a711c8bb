/**
 * What every start does first, on a tiny checkout with the real npm and compiler, whose
 * calls are recorded.
 */
import { execFile, execFileSync, spawn } from 'node:child_process'
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
import t from 'tap'
import { until } from '../testing/until.js'

const PREPARE = fileURLToPath(new URL('../../../.config/prepare.mjs', import.meta.url))
const COMPILER = fileURLToPath(
  new URL('../../../node_modules/typescript/lib/tsc.js', import.meta.url)
)
const LIMIT_MS = 60_000

const NPM = `
  const { appendFileSync, writeFileSync } = require('node:fs')
  appendFileSync('calls', 'npm ')
  if (process.env.NPM_HANGS) {
    writeFileSync('hanging', '')
    setInterval(() => undefined, 1_000_000)
  } else {
    const { spawnSync } = require('node:child_process')
    const args = [...process.argv.slice(2), '--offline']
    process.exit(spawnSync('npm', args, { stdio: 'inherit' }).status ?? 1)
  }`

/** All that the compiler must have of its library, which takes it a second to read. */
const GLOBALS = ['Array<T>', 'Boolean', 'CallableFunction', 'Function', 'IArguments']
  .concat(['NewableFunction', 'Number', 'Object', 'RegExp', 'String'])
  .map(type => `interface ${type} {}`)
  .join('\n')

const root = t.testdir({
  '.config': {},
  internal: {
    'a.ts': 'export const a: number = 1',
    'b.ts': 'export const b: number = 2',
    'globals.d.ts': GLOBALS
  },
  'package.json': JSON.stringify({
    name: 'tiny',
    version: '1.0.0',
    type: 'commonjs',
    engines: { node: '>=20.1' },
    dependencies: { typescript: 'file:typescript.tgz' },
    optionalDependencies: { elsewhere: 'file:elsewhere.tgz' }
  }),
  'package-lock.json': JSON.stringify({
    name: 'tiny',
    version: '1.0.0',
    lockfileVersion: 3,
    packages: {
      '': {
        name: 'tiny',
        version: '1.0.0',
        dependencies: { typescript: 'file:typescript.tgz' },
        optionalDependencies: { elsewhere: 'file:elsewhere.tgz' }
      },
      'node_modules/elsewhere': {
        version: '1.0.0',
        resolved: 'file:elsewhere.tgz',
        os: ['elsewhere'],
        optional: true
      },
      'node_modules/typescript': { version: '1.0.0', resolved: 'file:typescript.tgz' }
    }
  }),
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      module: 'NodeNext',
      rootDir: '.',
      outDir: 'dist',
      incremental: true,
      tsBuildInfoFile: 'dist/.tsbuildinfo',
      sourceMap: true,
      types: [],
      noLib: true
    },
    include: ['internal']
  }),
  'npm-cli.js': NPM,
  packed: {
    package: {
      'package.json': JSON.stringify({ name: 'typescript', version: '1.0.0' }),
      bin: {
        tsc: `require('node:fs').appendFileSync('calls', 'tsc ')\nrequire(${JSON.stringify(COMPILER)})`
      }
    }
  }
})
execFileSync('tar', ['-czf', 'typescript.tgz', '-C', 'packed', 'package'], { cwd: root })
copyFileSync(PREPARE, join(root, '.config', 'prepare.mjs'))
const at = (...names: readonly string[]): string => join(root, ...names)
const script = at('.config', 'prepare.mjs')
const npmList = at('node_modules', '.package-lock.json')
const { PATH = '', HOME = '' } = process.env
const ENV = { PATH, HOME, npm_execpath: at('npm-cli.js') }

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** The programs called, in order. */
  readonly calls: string
}

function prepare(env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  rmSync(at('calls'), { force: true })
  return new Promise(settle => {
    const options = { env: { ...ENV, ...env } }
    const child = execFile(process.execPath, [script], options, (_error, stdout, stderr) => {
      const calls = existsSync(at('calls')) ? readFileSync(at('calls'), 'utf8').trim() : ''
      settle({ code: child.exitCode ?? -1, stdout, stderr, calls })
    })
  })
}

const built = (name: string): string => readFileSync(at('dist', 'internal', name), 'utf8')

interface NpmList {
  readonly packages: Record<string, object>
}

/** Makes it look as if npm had installed something else. */
function changeNpmList(change: (packages: NpmList['packages']) => void): void {
  const list = JSON.parse(readFileSync(npmList, 'utf8')) as NpmList
  change(list.packages)
  writeFileSync(npmList, JSON.stringify(list))
}

await t.test('an empty checkout is installed and built; a second start does nothing', async t => {
  const first = await prepare({ NODE_ENV: 'production' })
  t.match(first, { code: 0, stdout: /^Installing the packages \.\.\.\n/, calls: 'npm tsc' })
  t.match(built('a.js'), 'exports.a = 1')
  const written = built('a.js')
  t.same(await prepare(), { code: 0, stdout: '', stderr: '', calls: 'tsc' })
  t.equal(built('a.js'), written)
  t.notOk(existsSync(at('dist', '.preparing')))
})

await t.test(
  'changed and new sources are built; the output of removed ones is deleted',
  async t => {
    writeFileSync(at('internal', 'a.ts'), 'export const a: number = 11')
    writeFileSync(at('internal', 'c.ts'), 'export const c: number = 3')
    rmSync(at('internal', 'b.ts'))
    t.match(await prepare(), { code: 0, calls: 'tsc' })
    t.match(built('a.js'), 'exports.a = 11')
    t.match(built('c.js'), 'exports.c = 3')
    for (const name of ['b.js', 'b.js.map']) t.notOk(existsSync(at('dist', 'internal', name)), name)
    rmSync(at('dist'), { recursive: true })
    t.match(await prepare(), { code: 0, calls: 'tsc' }, 'a removed dist is built again')
    t.match(built('a.js'), 'exports.a = 11')
  }
)

await t.test('a failing build says where and ends every start', async t => {
  writeFileSync(at('internal', 'c.ts'), "export const c: number = 'three'")
  const failed = {
    code: 1,
    stdout: /c\.ts\(1,14\): error TS2322/,
    stderr: /^Building failed: .* ended with \d+\.\n$/
  }
  t.match(await prepare(), failed)
  t.match(await prepare(), failed)
  writeFileSync(at('internal', 'c.ts'), 'export const c: number = 3')
  t.match(await prepare(), { code: 0 })
})

await t.test('packages that differ from the lock file are installed again', async t => {
  const changes: readonly ((packages: NpmList['packages']) => void)[] = [
    packages => (packages['node_modules/typescript'] = { version: '0.9.0' }),
    packages => delete packages['node_modules/typescript'],
    packages => (packages['node_modules/surplus'] = { version: '1.0.0' })
  ]
  for (const change of changes) {
    changeNpmList(change)
    t.match(await prepare(), { code: 0, calls: 'npm tsc' })
  }
  t.match(await prepare(), { calls: 'tsc' })
})

await t.test(
  'after a start was killed during the installation the next one repeats it',
  async t => {
    changeNpmList(packages => (packages['node_modules/typescript'] = { version: '0.9.0' }))
    const env = { ...ENV, NPM_HANGS: 'yes' }
    const killed = spawn(process.execPath, [script], { env, detached: true, stdio: 'ignore' })
    await until('npm is at work', () => existsSync(at('hanging')), LIMIT_MS)
    t.notOk(existsSync(npmList), 'the partial installation does not look complete')
    process.kill(-(killed.pid ?? 0), 'SIGKILL')
    t.match(await prepare(), { code: 0, calls: 'npm tsc' }, 'its lock is taken over')
    t.ok(existsSync(npmList))
  }
)

await t.test('of two concurrent starts one does the work and the other waits', async t => {
  changeNpmList(packages => delete packages['node_modules/typescript'])
  const outcomes = await Promise.all([prepare(), prepare()])
  t.match(outcomes, [{ code: 0 }, { code: 0 }])
  t.equal(readFileSync(at('calls'), 'utf8').trim(), 'npm tsc tsc')
  const waiting = 'Waiting for another start to install or build ...\n'
  t.equal(outcomes.filter(({ stdout }) => stdout.startsWith(waiting)).length, 1)
})

await t.test('a Node that is too old is refused, unless the packages include one', async t => {
  const text = readFileSync(at('package.json'), 'utf8')
  t.teardown(() => writeFileSync(at('package.json'), text))
  writeFileSync(at('package.json'), text.replace('>=20.1', '>=99.9'))
  t.match(await prepare(), { code: 1, stderr: /^Node 99\.9 or newer is needed: .*\n$/, calls: '' })
  mkdirSync(at('node_modules', '.bin'), { recursive: true })
  symlinkSync(process.execPath, at('node_modules', '.bin', 'node'))
  t.match(await prepare(), { code: 0, calls: 'tsc' })
})

await t.test('a failing or missing npm gives one line', async t => {
  changeNpmList(packages => delete packages['node_modules/typescript'])
  t.match(await prepare({ npm_execpath: '', PATH: '' }), {
    code: 1,
    stderr: 'Installing the packages failed: npm ended with spawn npm ENOENT.\n'
  })
  rmSync(at('typescript.tgz'))
  t.match(await prepare(), {
    code: 1,
    stderr: /Installing the packages failed: \S+ ended with \d+\.\n$/
  })
})
