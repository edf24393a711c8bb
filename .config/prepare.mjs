/**
 * Makes a checkout ready to run: `npm start`, `npm test` and others call it first. npm
 * and the compiler find out for themselves what is outdated. Runs on Node 20 with nothing
 * installed.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const LOCK = 'dist/.preparing'
const INSTALLED = 'node_modules/.package-lock.json'
const BUNDLED_NODE = 'node_modules/.bin/node'
const NPM_CI = 'ci --include=dev --include=optional --no-audit --no-fund --loglevel=error'
const json = file => (fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {})

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
// Ctrl-C reaches npm and the compiler too: wait for them, so that the next start does not
// meet them at work.
process.on('SIGINT', () => undefined)
try {
  await takeLock()
  await prepare().finally(() => fs.rmSync(LOCK))
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}

async function prepare() {
  if (!isInstalled()) {
    // npm writes its list last: without it, an interrupted installation is repeated.
    fs.rmSync(INSTALLED, { force: true })
    const { npm_execpath: npm = '' } = process.env
    const command = npm.endsWith('npm-cli.js') ? [process.execPath, npm] : ['npm']
    await run('Installing the packages', 0, ...command, ...NPM_CI.split(' '))
    // npm scripts prefer the bundled Node to any other, even if it cannot run here (no
    // glibc).
    if (spawnSync(BUNDLED_NODE, ['-v']).status !== 0) fs.rmSync(BUNDLED_NODE, { force: true })
  }
  const node = fs.existsSync(BUNDLED_NODE) ? BUNDLED_NODE : process.execPath
  const oldest = json('package.json').engines.node.replace('>=', '')
  const isOld = process.versions.node.localeCompare(oldest, 'en', { numeric: true }) < 0
  if (isOld && node !== BUNDLED_NODE)
    throw new Error(`Node ${oldest} or newer is needed: install Node 24 from https://nodejs.org.`)
  await run('Building', 2_000, node, 'node_modules/typescript/bin/tsc', '--build')
  // Output whose source is gone could still be started, or migrate.
  for (const file of fs.readdirSync('dist', { recursive: true })) {
    const source = file.replace(/\.js(\.map)?$/, '.ts')
    if (source !== file && !fs.existsSync(source)) fs.rmSync(`dist/${file}`)
  }
}

/** True if npm installed what is wanted; packages for other machines are optional. */
function isInstalled() {
  const { '': _, ...wanted } = json('package-lock.json').packages
  const found = json(INSTALLED).packages ?? {}
  return Object.keys({ ...wanted, ...found }).every(name =>
    found[name] ? found[name].version === wanted[name]?.version : wanted[name].optional
  )
}

async function run(what, sayAfterMs, command, ...args) {
  const timer = setTimeout(() => process.stdout.write(`${what} ...\n`), sayAfterMs)
  const ended = once(spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] }), 'close')
  const [code, signal] = await ended.catch(error => [error.message])
  clearTimeout(timer)
  if (code !== 0) throw new Error(`${what} failed: ${command} ended with ${signal ?? code}.`)
}

/** A symbolic link is made at once or not at all, and names the process that made it. */
async function takeLock(hasWaited = false) {
  fs.mkdirSync('dist', { recursive: true })
  try {
    return fs.symlinkSync(String(process.pid), LOCK)
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  try {
    process.kill(Number(fs.readlinkSync(LOCK)), 0)
    if (!hasWaited) process.stdout.write('Waiting for another start to install or build ...\n')
  } catch (error) {
    // Its maker is dead. Others may have seen that too: before the next try, all have
    // removed it.
    if (error.code === 'ESRCH') fs.rmSync(LOCK, { force: true })
  }
  await delay(100)
  return takeLock(true)
}
