import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { findEmbeddedServices, startEmbeddedServices } from './services.js'

/**
 * Registered before the servers in it, so removed after they have stopped: teardowns run
 * last-in-first-out, but tap's own directories go first.
 */
function dataDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'event-process-test-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

const free = { port: 0, isChosen: false }

await t.test('a second program joins the running services and leaves them running', async t => {
  const dataDir = dataDirectory(t)
  const log: string[] = []
  const options = {
    dataDir,
    postgres: free,
    sqs: free,
    durable: false,
    log: (line: string) => log.push(line)
  }
  t.equal(await findEmbeddedServices(dataDir), null, 'nothing runs yet')
  const [one, other] = await Promise.all([
    startEmbeddedServices(options),
    startEmbeddedServices(options)
  ])
  t.teardown(() => Promise.all([one.stop(), other.stop()]))
  t.not(one.started, other.started, 'of two that start at once, one does it')
  const [starter, joiner] = one.started ? [one, other] : [other, one]
  const { dbConnection, sqsEndpoint } = starter
  t.match(joiner, { dbConnection, sqsEndpoint })
  t.match(log, [
    /^Using the embedded services that another program started: PostgreSQL on port \d+, SQS on port \d+$/
  ])

  await joiner.stop()
  t.same(
    await findEmbeddedServices(dataDir),
    { dbConnection, sqsEndpoint },
    'a joiner ends nothing'
  )
  await Promise.all([starter.stop(), starter.stop()])
  t.equal(await findEmbeddedServices(dataDir), null, 'the starter ends all')
})

await t.test('an address is believed only while the processes behind it live', async t => {
  const dataDir = dataDirectory(t)
  const services = await startEmbeddedServices({
    dataDir,
    postgres: free,
    sqs: free,
    durable: false
  })
  t.teardown(() => services.stop())
  const gone = spawn(process.execPath, ['-e', ''])
  await once(gone, 'exit')
  const record = (pid: number) =>
    JSON.stringify({
      postgres: { connectionString: services.dbConnection, port: 0, pid: process.pid },
      sqs: { endpoint: services.sqsEndpoint, port: 0, pid }
    })
  writeFileSync(join(dataDir, 'embedded.json'), record(process.pid))
  t.ok(await findEmbeddedServices(dataDir))
  writeFileSync(join(dataDir, 'embedded.json'), record(gone.pid ?? 0))
  t.equal(
    await findEmbeddedServices(dataDir),
    null,
    'the ports now belong to the services of another directory'
  )
  writeFileSync(join(dataDir, 'embedded.json'), '{"postgres":')
  t.equal(await findEmbeddedServices(dataDir), null, 'half a file')
})

await t.test(
  'a taken port is replaced and said when it was only the default, and an error when the user chose it',
  async t => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    t.teardown(() => other.close())
    const { port } = other.address() as { port: number }
    const taken = { port, isChosen: false }
    const log: string[] = []
    const dataDir = dataDirectory(t)
    const services = await startEmbeddedServices({
      dataDir,
      postgres: taken,
      sqs: taken,
      durable: false,
      log: line => log.push(line)
    })
    t.teardown(() => services.stop())
    t.match(log, [
      new RegExp(
        `^Port ${port} is already in use: embedded PostgreSQL is on port \\d+ \\(EMBEDDED_POSTGRES_PORT chooses it\\)$`
      ),
      new RegExp(
        `^Port ${port} is already in use: embedded SQS is on port \\d+ \\(EMBEDDED_SQS_PORT chooses it\\)$`
      )
    ])
    await services.stop()

    const start = startEmbeddedServices({
      dataDir,
      postgres: free,
      sqs: { port, isChosen: true },
      durable: false
    })
    await t.rejects(start, {
      code: 'port-taken',
      message: /^Port \d+ is already in use: set EMBEDDED_SQS_PORT/
    })
    const retry = await startEmbeddedServices({
      dataDir,
      postgres: free,
      sqs: free,
      durable: false
    })
    t.teardown(() => retry.stop())
    t.ok(retry.started, 'the failed start left nothing running and no lock')
  }
)
