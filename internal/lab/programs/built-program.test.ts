import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { temporaryDirectory } from '../testing/programs.js'
import { until } from '../testing/until.js'
import { BuiltProgram, inheritedFrom, type ProgramSpec } from './built-program.js'
import { isRunning } from './processes.js'

/** A program with this source, killed after the test. */
function start(t: Test, source: string, over: Partial<ProgramSpec> = {}): BuiltProgram {
  const directory = temporaryDirectory(t)
  const entry = join(directory, 'program.mjs')
  writeFileSync(entry, source)
  const program = new BuiltProgram({ name: 'program', entry, env: {}, directory, ...over })
  t.teardown(() => program.end('SIGKILL'))
  return program
}

const GREET = `console.log(JSON.stringify({ msg: 'listening', port: 7 })); setInterval(() => 0, 1e6)`

t.test('it is ready when it has logged so, and its log lines stay available', async t => {
  const program = start(t, GREET)
  t.match(await program.said('listening'), { port: 7 })
  t.match(await program.said('listening'), { port: 7 })
  t.ok(program.isRunning && isRunning(program.pid))
  t.equal(await program.end(), 'SIGTERM')
  t.notOk(program.isRunning)
  t.notOk(program.signal('SIGTERM'), 'nothing is left to be signalled')
})

t.test('a program that ends before it is ready is reported with its last lines', async t => {
  const program = start(t, `console.log('first'); console.error('second'); process.exitCode = 3`)
  await t.rejects(program.said('listening'), {
    message: /^the program ended by itself \(exit code 3\):\n(?:first\nsecond|second\nfirst)$/
  })
  await t.rejects(program.failure, /ended by itself/)
  t.equal(await program.exited, 3)
})

t.test('a program that does not become ready in time is killed', async t => {
  const program = start(t, GREET)
  await t.rejects(program.said('sending', 10), /has not said “sending” after 10 ms/)
  t.equal(await program.exited, 'SIGKILL')
})

t.test('a program that does not end when asked is killed, and has not failed', async t => {
  const program = start(t, `process.on('SIGTERM', () => 0); ${GREET}`)
  await program.said('listening')
  t.equal(await program.end('SIGTERM', 10), 'SIGKILL')
  t.equal(await Promise.race([program.failure, program.closed]), 'SIGKILL')
})

t.test('it gets the given environment and arguments, and nothing else', async t => {
  const show = `console.log(JSON.stringify({ msg: 'env', env: process.env, args: process.argv.slice(2) }))`
  const { PATH = '' } = process.env
  process.env['USER'] = 'somebody'
  const program = start(t, show, { env: { PATH, GIVEN: 'yes' }, args: ['--port', '0'] })
  const { env, args } = await program.said('env')
  // The test runner adds its own variables for its children.
  t.match(env, { GIVEN: 'yes', LOG_FORMAT: 'json', PATH, HOME: undefined, USER: undefined })
  t.same(args, ['--port', '0'])
  const environment = { PATH: '/bin', HOME: '/root', AWS_REGION: 'x', OTHER: 'y' }
  t.same(inheritedFrom(environment, 'AWS_REGION'), {
    PATH: '/bin',
    HOME: '/root',
    AWS_REGION: 'x'
  })
})

t.test('it has exited when it is gone, and closed when its children are gone too', async t => {
  const program = start(
    t,
    `import { spawn } from 'node:child_process'
    const child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1e6)'], { stdio: 'inherit' })
    console.log(JSON.stringify({ msg: 'started', child: child.pid }))
    setInterval(() => 0, 1e6)`
  )
  const { child } = await program.said('started')
  let hasClosed = false
  void program.closed.then(() => (hasClosed = true))
  await program.end('SIGKILL')
  t.notOk(hasClosed)
  process.kill(Number(child), 'SIGKILL')
  await until('it has closed', () => hasClosed)
})

t.test('it ends by itself when the process that started it is killed', async t => {
  const built = new URL('../../../dist/internal/lab/programs/built-program.js', import.meta.url)
  const outer = start(
    t,
    `import { writeFileSync } from 'node:fs'
    import { BuiltProgram } from ${JSON.stringify(built.href)}
    writeFileSync('inner.mjs', ${JSON.stringify(`process.on('disconnect', () => process.exit()); ${GREET}`)})
    const inner = new BuiltProgram({ name: 'inner', entry: 'inner.mjs', env: {}, directory: '.' })
    await inner.said('listening')
    console.log(JSON.stringify({ msg: 'up', inner: inner.pid }))`
  )
  const { inner } = await outer.said('up')
  t.ok(isRunning(Number(inner)))
  await outer.end('SIGKILL')
  await until('the inner one has ended', () => !isRunning(Number(inner)))
})
