import pg from 'pg'
import t from 'tap'
import { createPostgresData } from '../testing/postgres-data.js'
import { sendBodies, serviceEnvironment, startProcessor } from '../testing/programs.js'
import { startTestSqs } from '../testing/sqs.js'
import { startTestPostgres } from '../testing/test-postgres.js'

const dataDir = await createPostgresData(t)
const event = (id: string): string =>
  JSON.stringify({
    event_type: 'monitor-app',
    client_id: 'client-1',
    message: { id },
    event_id: id
  })

t.test(
  'after a database outage nothing is lost or dead-lettered, and the processor resumes',
  async t => {
    const emulator = await startTestSqs(t)
    let server = await startTestPostgres({ dataDir, port: 0 })
    t.teardown(() => server.stop())
    const { port, connectionString } = server
    const processor = await startProcessor(t, {
      ...serviceEnvironment(connectionString, emulator),
      MAX_RECEIVE_COUNT: '1',
      VISIBILITY_TIMEOUT_S: '4'
    })
    const inFlight = () => emulator.server.inspectQueue('events')?.messages.inflight ?? []
    const waiting = () => emulator.server.inspectQueue('events')?.messages.ready ?? []
    const readiness = async (): Promise<string> =>
      (await fetch(`${processor.origin}/readyz`)).text()

    await sendBodies(
      emulator,
      Array.from({ length: 200 }, (_, index) => event(`before-${index}`))
    )
    await processor.program.until(
      'the first ones are stored',
      async () => (await processor.metrics()).get('stored_total') === 200
    )
    await server.stop()
    await sendBodies(
      emulator,
      Array.from({ length: 1_000 }, (_, index) => event(`during-${index}`))
    )
    await processor.program.until('the outage is noticed', () =>
      processor.program.output.includes('database fails')
    )
    await processor.program.until('it says that it is not ready, and why', async () =>
      /"ready":false.*database/.test(await readiness())
    )
    await processor.program.until(
      'receiving has stopped',
      async () => (await processor.metrics()).get('gate_open') === 0
    )
    const held = inFlight().length
    t.ok(waiting().length > 0, 'most stay in the queue, not received')
    // With one receive allowed, a message that came back would be dead-lettered. So
    // waiting past the visibility timeout proves the heartbeat.
    const deadline = performance.now() + 4_500
    await processor.program.until(
      'longer than the visibility timeout',
      () => performance.now() > deadline
    )
    t.ok(inFlight().length >= held, 'what was received is still kept from others')
    t.equal(processor.workerPids.length, 1, 'no worker died of it')

    server = await startTestPostgres({ dataDir, port })
    await processor.program.until(
      'all are stored',
      async () => (await processor.metrics()).get('stored_total') === 1_200
    )
    await processor.program.until(
      'the queue is empty',
      () => waiting().length === 0 && inFlight().length === 0
    )
    await processor.program.until('it is ready again', async () =>
      (await readiness()).includes('"ready":true')
    )
    t.same(emulator.server.inspectQueue('events-dead-letters')?.messages.ready, [])
    const client = new pg.Client({ connectionString })
    await client.connect()
    t.teardown(() => client.end())
    const { rows } = await client.query(
      'SELECT count(*)::int AS messages, (SELECT count(*)::int FROM rejection) AS rejections FROM message'
    )
    t.same(rows, [{ messages: 1_200, rejections: 0 }])
    t.equal(await processor.program.end(), 0)
  }
)

t.test('a processor that starts before its database waits for it', async t => {
  const emulator = await startTestSqs(t)
  const first = await startTestPostgres({ dataDir, port: 0 })
  const { port, connectionString } = first
  await first.stop()
  const starting = startProcessor(t, serviceEnvironment(connectionString, emulator))
  const server = await startTestPostgres({ dataDir, port })
  t.teardown(() => server.stop())
  const processor = await starting
  t.equal(await processor.program.end(), 0)
})
