/**
 * Makes a checkout ready to run: installs the packages when they are missing or old,
 * builds when a source changed. `npm start`, `npm test` and `npm run bench` call it
 * first; with nothing to do it is done at once.
 *
 * Shapes  node_modules/.prepared and dist/.prepared hold what was installed and built, as
 *         hashes: deleting either folder resets it.
 * Errors  one line on stderr, exit code 1 (a failed build prints the compiler's findings
 *         before it).
 * Source  must run on Node 20 with nothing installed: only Node's own modules, no syntax
 *         newer than that.
 */
import { spawnSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const OLDEST_INSTALLER = [20, 0]
/** package.json `engines`. */
const OLDEST_NODE = [22, 19]
const SOURCE_FOLDERS = ['cmd', 'internal']
const LOCK_RETRY_MS = 100

const root = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))))
const path = (...names) => join(root, ...names)
const lockFile = path('package-lock.json')
const installStamp = path('node_modules', '.prepared')
const buildStamp = path('dist', '.prepared')
/**
 * There while npm works: what an interrupted one leaves can look complete and is not. It
 * is in dist, which npm leaves alone.
 */
const installMark = path('dist', '.installing')
const bundledNode = path('node_modules', '.bin', 'node')

class Failure extends Error {}

// Ctrl-C reaches npm and the compiler too: this process waits for their end, so that a
// next start does not meet them at work.
process.on('SIGINT', () => undefined)

try {
  await prepare()
} catch (error) {
  const reason =
    error instanceof Failure || typeof error.code === 'string' ? error.message : error.stack
  process.stderr.write(`${reason}\n`)
  process.exitCode = 1
}

async function prepare() {
  if (!isAtLeast(OLDEST_INSTALLER))
    throw new Failure(
      `Node ${process.version} is too old: install Node 24 from https://nodejs.org, or any from 20 on.`
    )
  if (!isInstalled() || !isBuilt()) {
    await withLock(() => {
      if (!isInstalled()) install()
      assertNode()
      if (!isBuilt()) build()
    })
  } else {
    assertNode()
  }
}

// --- the packages ---

function isInstalled() {
  if (existsSync(installMark)) return false
  if (read(installStamp) === installKey()) return true
  if (leftOut().length > 0) return false
  writeStamp(installStamp, installKey())
  return true
}

function installKey() {
  return hash([readFileSync(lockFile), process.platform, process.arch])
}

/**
 * What this machine needs and npm's own list of what it installed does not hold: nothing
 * when somebody already ran `npm install`. npm removes the list while it works.
 */
function leftOut() {
  const list = read(path('node_modules', '.package-lock.json'))
  const wanted = JSON.parse(readFileSync(lockFile, 'utf8')).packages
  if (list === null) return Object.keys(wanted)
  const installed = JSON.parse(list).packages
  return Object.keys(wanted).filter(name => {
    if (name === '') return false
    const entry = wanted[name]
    const found = installed[name]
    if (found !== undefined)
      return found.version !== entry.version || found.integrity !== entry.integrity
    // Not needed: what is for another machine. Optional ones with a libc, or for no
    // machine in particular, are npm's own decision.
    return (
      entry.optional !== true ||
      (isFor(entry.os, process.platform) &&
        isFor(entry.cpu, process.arch) &&
        entry.libc === undefined)
    )
  })
}

function isFor(allowed, own) {
  return allowed !== undefined && [allowed].flat().includes(own)
}

function install() {
  process.stdout.write('Installing the packages (npm ci): this takes a minute the first time ...\n')
  writeFileSync(installMark, '')
  rmSync(installStamp, { force: true })
  const args = [
    'ci',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error'
  ]
  // Under `npm start` the npm that runs us is known; otherwise it is the one in the path.
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js')
    ? [process.execPath, process.env.npm_execpath]
    : ['npm']
  const [command, ...rest] = [...npm, ...args]
  const { status, signal, error, stdout, stderr } = spawnSync(command, rest, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe']
  })
  if (error !== undefined)
    throw new Failure(
      `Installing the packages failed: npm does not run (${error.code}); install Node with npm.`
    )
  if (status !== 0)
    throw new Failure(
      `Installing the packages failed: ${npmReason(`${stderr}\n${stdout}`) ?? `npm ended with ${signal ?? status}`}`
    )
  // npm goes on without an optional package that it could not fetch. Most of the project
  // works without; what does not says so itself.
  for (const name of leftOut())
    process.stdout.write(`npm left out ${name}: if something misses it, run "npm ci" again.\n`)
  dropBrokenNode()
  rmSync(installMark)
  writeStamp(installStamp, installKey())
}

/**
 * npm's own sentence out of its report, without the parts that only say where the log is.
 */
function npmReason(output) {
  const lines = output
    .split('\n')
    .flatMap(line => /^npm (?:error|ERR!) (.+)$/.exec(line)?.[1]?.trim() ?? [])
  const code = lines.find(line => line.startsWith('code '))?.slice('code '.length)
  const sentence = lines.find(
    line => line.includes(' ') && !/^(code|errno|syscall|path|dest|type|cwd) /.test(line)
  )
  if (code === undefined && sentence === undefined) return undefined
  return [code, sentence].filter(part => part !== undefined).join(': ')
}

/**
 * npm scripts prefer the bundled Node to any other; on a system where it does not run (no
 * glibc) it must not be in their way.
 */
function dropBrokenNode() {
  if (existsSync(bundledNode) && spawnSync(bundledNode, ['--version']).status !== 0)
    rmSync(bundledNode, { force: true })
}

function assertNode() {
  if (isAtLeast(OLDEST_NODE) || existsSync(bundledNode)) return
  const machine = `${process.platform}-${process.arch}`
  throw new Failure(
    `Node ${process.version} is older than ${OLDEST_NODE.join('.')} and none comes with the packages for ${machine}: install Node 24 from https://nodejs.org.`
  )
}

function isAtLeast([major, minor]) {
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number)
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
}

// --- the build ---

function isBuilt() {
  const files = sources()
  return read(buildStamp) === buildKey(files) && files.every(file => existsSync(outputOf(file)))
}

function buildKey(files) {
  return hash([
    readFileSync(lockFile),
    readFileSync(path('tsconfig.json')),
    ...files.flatMap(file => [file, readFileSync(path(file))])
  ])
}

function sources() {
  return SOURCE_FOLDERS.flatMap(folder => filesBelow(folder))
    .filter(file => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .sort()
}

function outputOf(source) {
  return path('dist', source.replace(/\.ts$/, '.js'))
}

function build() {
  process.stdout.write('Building ...\n')
  rmSync(buildStamp, { force: true })
  const files = sources()
  const outputs = new Set(files.map(outputOf))
  for (const file of SOURCE_FOLDERS.flatMap(folder => filesBelow(join('dist', folder)))) {
    const output = path(file).replace(/\.map$/, '')
    if (!outputs.has(output)) rmSync(path(file))
  }
  // The compiler trusts its notes about what it wrote: without them it writes everything
  // again.
  if (files.some(file => !existsSync(outputOf(file))))
    rmSync(path('dist', '.tsbuildinfo'), { force: true })
  // Taken before the compiler reads them: an edit during the build is then seen at the
  // next start.
  const key = buildKey(files)
  const node = existsSync(bundledNode) ? bundledNode : process.execPath
  const { status } = spawnSync(
    node,
    [path('node_modules', 'typescript', 'bin', 'tsc'), '--build'],
    { cwd: root, stdio: 'inherit' }
  )
  if (status !== 0) throw new Failure('Building failed: the compiler names the places above.')
  writeStamp(buildStamp, key)
}

function filesBelow(folder) {
  if (!existsSync(path(folder))) return []
  return readdirSync(path(folder), { withFileTypes: true }).flatMap(entry => {
    const name = join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(name) : [name]
  })
}

// --- one at a time ---

/**
 * The lock is in dist, which npm leaves alone. A second file name for a finished file
 * appears at once or not at all.
 */
async function withLock(work) {
  mkdirSync(path('dist'), { recursive: true })
  const lock = path('dist', '.preparing')
  const mine = `${process.pid} ${randomUUID()}`
  let hasSaid = false
  for (;;) {
    const holder = read(lock)
    if (holder !== null && isAlive(Number(holder.split(' ')[0]))) {
      if (!hasSaid)
        process.stdout.write('Waiting for another start, which is installing or building ...\n')
      hasSaid = true
      await delay(LOCK_RETRY_MS)
      continue
    }
    if (holder !== null) rmSync(lock, { force: true })
    takeLock(lock, mine)
    // Another one that saw the same dead holder may just have removed our lock for it:
    // look again once it has had the time.
    if (holder !== null) await delay(LOCK_RETRY_MS)
    if (read(lock) === mine) break
  }
  try {
    work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function takeLock(lock, mine) {
  const draft = `${lock}.${randomUUID()}`
  writeFileSync(draft, mine)
  try {
    linkSync(draft, lock)
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

function isAlive(pid) {
  if (!Number.isInteger(pid) || pid < 1) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

// --- files ---

/**
 * A stamp that cannot be written (packages installed by somebody else) costs the next
 * start a closer look, no more.
 */
function writeStamp(file, text) {
  try {
    writeFileSync(file, text)
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(error.code)) throw error
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
    throw error
  }
}

function hash(parts) {
  const sum = createHash('sha256')
  for (const part of parts) sum.update(String(part.length)).update('\n').update(part)
  return sum.digest('hex')
}
