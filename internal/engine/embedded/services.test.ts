import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { embeddedPostgres, embeddedSqs } from './kinds.js'
import {
  type EmbeddedService,
  findEmbeddedServices,
  type ServiceAddress,
  startEmbeddedServices
} from './services.js'

/**
 * Registered before the servers in it, so removed after they have stopped: teardowns run
 * last-in-first-out, but tap's own directories go first.
 */
function dataDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'event-process-test-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function endless(t: Test): ChildProcess {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1_000_000)'])
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/** A service that is only a process; it records its starts. */
function tinyService(t: Test, title = 'tiny') {
  const running: ChildProcess[] = []
  const service: EmbeddedService = {
    title,
    async start() {
      const child = endless(t)
      running.push(child)
      return {
        address: `${title}:${running.length}`,
        port: running.length,
        pid: child.pid ?? 0,
        stop: () => (child.killed ? Promise.resolve() : end(child))
      }
    },
    answers: async ({ pid }) => running.some(child => child.pid === pid && !child.killed)
  }
  return { service, running }
}

await t.test(
  'a second program joins running services, starts missing ones, ends its own',
  async t => {
    const dataDir = dataDirectory(t)
    const a = tinyService(t, 'a')
    const b = tinyService(t, 'b')
    const log: string[] = []
    const start = (services: Record<string, EmbeddedService>) =>
      startEmbeddedServices(dataDir, services, line => log.push(line))
    t.equal(await findEmbeddedServices(dataDir, { a: a.service }), null, 'nothing runs yet')

    const [one, other] = await Promise.all([start({ a: a.service }), start({ a: a.service })])
    t.equal(a.running.length, 1, 'of two programs that start it at once, one does')
    t.same(one.addresses, other.addresses)
    t.same(log, ['Using the embedded services that another program started: a on port 1'])
    t.equal(b.running.length, 0, 'no program asked for it')

    const both = await start({ a: a.service, b: b.service })
    t.same(both.addresses, { a: 'a:1', b: 'b:1' })
    await Promise.all([both.stop(), both.stop()])
    t.equal(await findEmbeddedServices(dataDir, { b: b.service }), null, 'it ends what it started')
    t.same(await findEmbeddedServices(dataDir, { a: a.service }), { a: 'a:1' }, 'and no more')
    t.equal(await findEmbeddedServices(dataDir, { a: a.service, b: b.service }), null)
    await Promise.all([one.stop(), other.stop()])
    t.same(readdirSync(dataDir), [], 'the last one leaves nothing')
  }
)

await t.test('an address is believed only while the process behind it lives', async t => {
  const dataDir = dataDirectory(t)
  const { service } = tinyService(t)
  const believing = { ...service, answers: () => Promise.resolve(true) }
  const find = () => findEmbeddedServices(dataDir, { tiny: believing })
  const write = (over: Partial<ServiceAddress>) =>
    writeFileSync(
      join(dataDir, 'tiny.json'),
      JSON.stringify({ address: 'somewhere', port: 1, pid: process.pid, owner: 1, ...over })
    )
  write({})
  t.same(await find(), { tiny: 'somewhere' })
  const gone = endless(t)
  await end(gone)
  write({ pid: gone.pid ?? 0 })
  t.equal(await find(), null, 'the port may be that of another directory’s service by now')
  writeFileSync(join(dataDir, 'tiny.json'), '{"address":')
  t.equal(await find(), null, 'half a file')
})

await t.test('a service left by a killed program is taken over, and then ended', async t => {
  const dataDir = dataDirectory(t)
  const { service, running } = tinyService(t)
  const left = endless(t)
  const starter = endless(t)
  const record = { address: 'left', port: 1, pid: left.pid, owner: starter.pid }
  writeFileSync(join(dataDir, 'tiny.json'), JSON.stringify(record))
  const answering = { ...service, answers: () => Promise.resolve(true) }
  const open = () => startEmbeddedServices(dataDir, { tiny: answering }, () => undefined)
  t.same((await open()).addresses, { tiny: 'left' }, 'its starter lives')
  await end(starter)
  const taken = await open()
  t.same(taken.addresses, { tiny: 'tiny:1' }, 'service.start takes over what it finds')
  await taken.stop()
  t.ok(running[0]?.killed)
})

await t.test('a failed start ends what it began', async t => {
  const dataDir = dataDirectory(t)
  const { service, running } = tinyService(t)
  const broken = { ...service, start: () => Promise.reject(new Error('no disk')) }
  const start = startEmbeddedServices(dataDir, { tiny: service, broken }, () => undefined)
  await t.rejects(start, { message: 'no disk' })
  t.ok(running[0]?.killed)
  t.same(readdirSync(dataDir), [])
})

await t.test(
  'PostgreSQL and SQS: a taken default port is replaced, a chosen one is an error',
  async t => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    t.teardown(() => other.close())
    const { port } = other.address() as { port: number }
    const taken = { port, isChosen: false }
    const log: string[] = []
    const dataDir = dataDirectory(t)
    const kinds = { postgres: embeddedPostgres('tiny', taken), sqs: embeddedSqs(taken) }
    const services = await startEmbeddedServices(dataDir, kinds, line => log.push(line))
    t.teardown(() => services.stop())
    t.match(log, [
      new RegExp(
        `^Port ${port} is already in use: embedded PostgreSQL is on port \\d+ \\(EMBEDDED_POSTGRES_PORT chooses it\\)$`
      ),
      new RegExp(
        `^Port ${port} is already in use: embedded SQS is on port \\d+ \\(EMBEDDED_SQS_PORT chooses it\\)$`
      )
    ])
    t.same(await findEmbeddedServices(dataDir, kinds), services.addresses, 'both answer')
    const client = new pg.Client({ connectionString: services.addresses.postgres })
    await client.connect()
    t.match((await client.query('SELECT current_database() AS name')).rows, [{ name: 'tiny' }])
    await client.end()
    await services.stop()
    t.equal(await findEmbeddedServices(dataDir, kinds), null)

    const chosen = { ...kinds, sqs: embeddedSqs({ port, isChosen: true }) }
    await t.rejects(
      startEmbeddedServices(dataDir, chosen, () => undefined),
      { code: 'port-taken', message: /^Port \d+ is already in use: set EMBEDDED_SQS_PORT/ }
    )
    t.equal(await findEmbeddedServices(dataDir, { postgres: kinds.postgres }), null)
  }
)
