import { createHash } from 'node:crypto'
import t from 'tap'
import { isRunning } from '../programs/processes.js'
import { createTestDatabase } from '../testing/database.js'
import {
  sendBodies,
  serviceEnvironment,
  startProcessor,
  startProgram
} from '../testing/programs.js'
import { startTestSqs } from '../testing/sqs.js'
import { until } from '../testing/until.js'

const { connectionString, pool } = await createTestDatabase(t, { isMigrated: false })
const queueIsEmpty = (
  server: Awaited<ReturnType<typeof startTestSqs>>['server'],
  name = 'events'
): boolean => {
  const { ready = [], inflight = [] } = server.inspectQueue(name)?.messages ?? {}
  return ready.length === 0 && inflight.length === 0
}
/** One run of one worker covers everything that it stores and refuses. */
const emulator = await startTestSqs(t)
const processor = await startProcessor(t, serviceEnvironment(connectionString, emulator))
const event = (over: object = {}): string =>
  JSON.stringify({
    event_type: 'monitor-app',
    client_id: 'client-1',
    message: 'cpu at 20 %',
    ...over
  })

t.test('events of all kinds give exact tables, and the metrics equal them', async t => {
  await pool.query(`INSERT INTO client (name) VALUES ('added-later')`)

  const stored: readonly (readonly [body: string, id: string, payload: string])[] = [
    [event({ event_id: 'text' }), 'text', '"cpu at 20 %"'],
    [event({ event_id: 'blank', message: ' ' }), 'blank', '" "'],
    [
      '{"event_id":"exact","message" : {"n":1e400, "a":[1.10,-0],"a":2}  ,"event_type":"user-app","client_id":"client-3"}',
      'exact',
      '{"n":1e400, "a":[1.10,-0],"a":2}'
    ],
    [
      String.raw`{"event_id":"escapes","message":"\u0000 \ud800 \u00e9","event_type":"user-app","client_id":"client-2"}`,
      'escapes',
      String.raw`"\u0000 \ud800 \u00e9"`
    ],
    [
      `{"event_id":"proto","message":{"__proto__":{"admin":true}},"__proto__":{"x":1},"event_type":"user-app","client_id":"client-2"}`,
      'proto',
      '{"__proto__":{"admin":true}}'
    ],
    [event({ event_id: 'new', client_id: 'added-later' }), 'new', '"cpu at 20 %"'],
    [
      `{"event_id":"dup","event_id":"last","message":1,"message":[2],"event_type":"user-app","client_id":"client-2"}`,
      'last',
      '[2]'
    ],
    [
      event({ event_id: 'large', message: 'x'.repeat(1_040_000) }),
      'large',
      `"${'x'.repeat(1_040_000)}"`
    ]
  ]
  const rejected: readonly (readonly [body: string, reason: string])[] = [
    ['plain text', 'not-json'],
    ['{"event_type":"monitor-app"', 'not-json'],
    [event() + '}', 'not-json'],
    ['['.repeat(100_000), 'not-json'],
    ['null', 'not-an-object'],
    ['[{"event_type":"monitor-app"}]', 'not-an-object'],
    ['{}', 'missing-field'],
    [event({ message: '' }), 'missing-field'],
    [event({ client_id: null }), 'missing-field'],
    [event({ message: 5 }), 'invalid-field'],
    [event({ client_id: 'c'.repeat(101) }), 'invalid-field'],
    [event({ event_id: 7 }), 'invalid-field'],
    [event({ client_id: 'nul\u0000' }), 'unstorable'],
    [event({ client_id: 'nobody' }), 'unknown-client'],
    [event({ event_type: 'nothing' }), 'unknown-event-type'],
    [
      `{"message":${'['.repeat(90_000)}${']'.repeat(90_000)},"event_type":"monitor-app","client_id":"client-1"}`,
      'too-deep'
    ]
  ]
  const again = [event({ event_id: 'text' }), event({ event_id: 'text' })]
  const other = event({ event_id: 'text', message: 'another text' })
  const large = stored.find(([, id]) => id === 'large')?.[0] ?? ''
  await sendBodies(emulator, [
    ...stored.filter(([body]) => body !== large).map(([body]) => body),
    ...rejected.map(([body]) => body)
  ])
  await sendBodies(emulator, [large])
  await processor.program.until('all of these are settled', () => queueIsEmpty(emulator.server))
  await sendBodies(emulator, [...again, other, event()])
  await processor.program.until('the queue is empty', () => queueIsEmpty(emulator.server))

  const rows = await pool.query<{ message_id: string; text: string }>(
    'SELECT message_id, message::text AS text FROM message'
  )
  const byId = new Map(rows.rows.map(row => [row.message_id, row.text]))
  for (const [, id, payload] of stored)
    t.equal(sha256(byId.get(id) ?? ''), sha256(payload), `${id} is stored character for character`)
  t.equal(rows.rows.length, stored.length + 1)
  const withQueueId = rows.rows.filter(row => !stored.some(([, id]) => id === row.message_id))
  t.match(
    withQueueId[0]?.message_id,
    /^[0-9a-f-]{36}$/,
    'without event_id the row has the queue’s id'
  )

  const { rows: refusals } = await pool.query<{
    reason: string
    body: string
    receive_count: number
    pointer: string | null
  }>(`SELECT reason, body, receive_count, violations->0->>'pointer' AS pointer FROM rejection`)
  const want = [...rejected, [other, 'conflict']].map(
    ([body = '', reason]) => `${reason} ${sha256(body)}`
  )
  t.same(refusals.map(row => `${row.reason} ${sha256(row.body)}`).toSorted(), want.toSorted())
  t.ok(refusals.every(row => row.receive_count >= 1 && row.pointer !== null))

  await processor.program.until(
    'the totals are reported',
    async () =>
      (await processor.metrics()).get('received_total') === stored.length + rejected.length + 4
  )
  const metrics = await processor.metrics()
  t.equal(metrics.get('stored_total'), rows.rows.length)
  t.equal(metrics.get('duplicate_total'), again.length)
  const reasons = [...metrics].filter(([name]) => name.startsWith('rejected_total'))
  t.equal(
    reasons.reduce((sum, [, count]) => sum + count, 0),
    refusals.length
  )
  t.equal(metrics.get('rejected_total{reason="conflict"}'), 1)
  t.ok(queueIsEmpty(emulator.server, 'events-dead-letters'))
  t.equal(({} as { admin?: unknown }).admin, undefined)
  t.notMatch(processor.program.output, /cpu at 20 %|another text/, 'no payload in the log')
})

t.test('empty fields are named together', async t => {
  const body = '{"event_type":"","client_id":"","message":""}'
  await sendBodies(emulator, [body])
  await processor.program.until('it is settled', () => queueIsEmpty(emulator.server))
  const { rows } = await pool.query<{ pointers: string }>(
    `SELECT (SELECT string_agg(v->>'pointer', ' ' ORDER BY v->>'pointer') FROM json_array_elements(violations) v) AS pointers
     FROM rejection WHERE body = $1`,
    [body]
  )
  t.same(rows, [{ pointers: '/client_id /event_type /message' }])
})

t.test('a schema activated by SQL takes effect without a restart', async t => {
  const schema = {
    type: 'object',
    required: ['cpu'],
    properties: { cpu: { type: 'number', maximum: 100 } }
  }
  await pool.query(
    `INSERT INTO event_schema (event_type, client, version, state, schema, hash) VALUES ('transaction-app', 'client-1', 1, 'active', $1, 'h1')`,
    [JSON.stringify(schema)]
  )
  await processor.program.until('the worker has it', () =>
    inForce(processor, { active: 1, shadow: 0 })
  )
  const over = { event_type: 'transaction-app' }
  await sendBodies(emulator, [
    event({ ...over, event_id: 's1', message: { cpu: 20 } }),
    event({ ...over, event_id: 's2', message: { cpu: 101 } }),
    event({ ...over, event_id: 's3', message: { cpu: 101 }, client_id: 'client-2' })
  ])
  await processor.program.until('they are settled', () => queueIsEmpty(emulator.server))
  const kept = await pool.query(
    `SELECT message_id FROM message WHERE message_id IN ('s1', 's2', 's3') ORDER BY 1`
  )
  t.same(kept.rows, [{ message_id: 's1' }, { message_id: 's3' }])
  const { rows } = await pool.query(
    `SELECT reason, violations->0->>'pointer' AS pointer FROM rejection WHERE message_id = 's2'`
  )
  t.same(rows, [{ reason: 'schema-violation', pointer: '/message/cpu' }])
  t.equal(await processor.program.end('SIGINT'), 0)
})

t.test(
  'schema changes by SQL judge the next events; each row has its accepting version',
  async t => {
    const emulator = await startTestSqs(t)
    await pool.query(`UPDATE event_schema SET state = 'retired' WHERE state <> 'retired'`)
    const processor = await startProcessor(t, {
      ...serviceEnvironment(connectionString, emulator),
      WORKERS: '2'
    })
    const register = async (version: number, maximum: number): Promise<number> => {
      const schema = JSON.stringify({
        type: 'object',
        required: ['n'],
        properties: { n: { type: 'number', maximum } }
      })
      const { rows } = await pool.query<{ id: number }>(
        `INSERT INTO event_schema (event_type, version, schema) VALUES ('user-app', $1, $2) RETURNING id`,
        [version, schema]
      )
      return rows[0]?.id ?? 0
    }
    const send = async (name: string): Promise<void> => {
      await sendBodies(
        emulator,
        [1, 10, 100].map(n =>
          event({ event_type: 'user-app', event_id: `${name}-${n}`, message: { n } })
        )
      )
      await processor.program.until('they are settled', () => queueIsEmpty(emulator.server))
    }
    const kept = async (name: string): Promise<object> => {
      const { rows } = await pool.query<{ id: string; schema: number | null }>(
        `SELECT message_id AS id, event_schema_id AS schema FROM message WHERE message_id LIKE $1 ORDER BY 1`,
        [`${name}-%`]
      )
      return Object.fromEntries(rows.map(({ id, schema }) => [id.slice(name.length + 1), schema]))
    }
    const both = (active: number, shadow: number): Promise<void> =>
      processor.program.until('both workers have it', () =>
        inForce(processor, { active, shadow }, 2)
      )

    await send('none')
    t.same(await kept('none'), { 1: null, 10: null, 100: null })
    const first = await register(1, 50)
    await both(0, 1)
    await send('shadow')
    t.same(
      await kept('shadow'),
      { 1: null, 10: null, 100: null },
      'a shadow version rejects nothing'
    )
    await processor.program.until('it is counted', async () => {
      const metrics = await processor.metrics()
      const of = (name: string): number | undefined => metrics.get(`${name}{schema="user-app/*/1"}`)
      return of('shadow_checked_total') === 3 && of('shadow_rejected_total') === 1
    })
    await processor.program.until('and told', () =>
      processor.program.log.some(
        ({ msg, schema, rejected }) =>
          msg === 'shadow schema would reject' && schema === 'user-app/*/1' && rejected === 1
      )
    )
    await pool.query(`UPDATE event_schema SET state = 'active' WHERE id = $1`, [first])
    await both(1, 0)
    await send('active')
    t.same(await kept('active'), { 1: first, 10: first })
    const second = await register(2, 5)
    await both(1, 1)
    // The workers miss the notification while their connections are down, and read the
    // change after reconnecting.
    await pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'event-process schemas' AND datname = current_database()`
    )
    await pool.query(`UPDATE event_schema SET state = 'retired' WHERE id = $1`, [first])
    await pool.query(`UPDATE event_schema SET state = 'active' WHERE id = $1`, [second])
    await processor.program.until('both have the next', () =>
      inForce(processor, { active: 1, shadow: 0 }, 4)
    )
    await send('next')
    t.same(await kept('next'), { 1: second })
    await pool.query(`UPDATE event_schema SET state = 'retired' WHERE id = $1`, [second])
    await both(0, 0)
    await send('retired')
    t.same(await kept('retired'), { 1: null, 10: null, 100: null })
    t.equal(await processor.program.end(), 0)
  }
)

t.test('workers killed with -9 lose nothing, and the metrics still equal the tables', async t => {
  const emulator = await startTestSqs(t)
  const before = await count('message')
  const processor = await startProcessor(t, {
    ...serviceEnvironment(connectionString, emulator),
    WORKERS: '2',
    VISIBILITY_TIMEOUT_S: '2'
  })
  const bodies = Array.from({ length: 3_000 }, (_, index) => event({ event_id: `kill-${index}` }))
  const sending = sendBodies(emulator, bodies)
  const [first = 0, second = 0] = processor.workerPids
  await processor.program.until(
    'something is stored',
    async () => ((await processor.metrics()).get('stored_total') ?? 0) > 0
  )
  process.kill(first, 'SIGKILL')
  await processor.program.until('it has been replaced', () => processor.workerPids.length === 3)
  process.kill(second, 'SIGKILL')
  await sending
  await processor.program.until('every event is settled', () => queueIsEmpty(emulator.server))
  t.equal((await count('message')) - before, bodies.length)
  const metrics = await processor.metrics()
  t.equal(metrics.get('stored_total'), bodies.length)
  t.ok(queueIsEmpty(emulator.server, 'events-dead-letters'))
  t.equal(await processor.program.end(), 0)
})

t.test('when the primary is killed its workers exit, and the next start resumes', async t => {
  const emulator = await startTestSqs(t)
  const env = { ...serviceEnvironment(connectionString, emulator), VISIBILITY_TIMEOUT_S: '2' }
  const processor = await startProcessor(t, env)
  const bodies = Array.from({ length: 500 }, (_, index) => event({ event_id: `primary-${index}` }))
  await sendBodies(emulator, bodies.slice(0, 300))
  await processor.program.end('SIGKILL')
  await until('no worker is left', () => !processor.workerPids.some(isRunning))
  await sendBodies(emulator, bodies.slice(300))
  const next = await startProcessor(t, env)
  await next.program.until('every event is settled', () => queueIsEmpty(emulator.server))
  const { rows } = await pool.query(
    `SELECT count(*)::int AS n FROM message WHERE message_id LIKE 'primary-%'`
  )
  t.same(rows, [{ n: bodies.length }])
  t.equal(await next.program.end(), 0)
})

t.test('wrong configuration gives one message that names everything, and exit code 1', async t => {
  const program = startProgram(t, 'processor', {
    QUEUE_NAME: 'events',
    METRICS_PORT: 'x',
    WORKERS: '0',
    AWS_ENDPOINT: 'localhost'
  })
  t.equal(await program.exited, 1)
  for (const name of ['DB_CONNECTION', 'METRICS_PORT', 'WORKERS', 'AWS_ENDPOINT'])
    t.match(program.output, new RegExp(`- ${name} `))
  t.notMatch(program.output, /\n\s+at /)
})

t.test(
  'a database that refuses the user or does not exist counts as wrong configuration',
  async t => {
    const emulator = await startTestSqs(t)
    const nowhere = new URL(connectionString)
    nowhere.pathname = '/no_such_database'
    const env = serviceEnvironment(nowhere.href, emulator)
    for (const name of ['processor', 'migrate'] as const) {
      const program = startProgram(t, name, env)
      t.equal(await program.exited, 1)
      t.match(program.output, /no_such_database/)
      t.notMatch(program.output, /\n\s+at /)
    }
  }
)

t.test('a taken port is named with its setting', async t => {
  const emulator = await startTestSqs(t)
  const port = new URL(emulator.endpoint).port
  const program = startProgram(t, 'processor', {
    ...serviceEnvironment(connectionString, emulator),
    METRICS_PORT: port
  })
  t.equal(await program.exited, 1)
  t.match(
    program.output,
    `127.0.0.1:${port} is taken by another program: set METRICS_PORT to another one`
  )
  t.notMatch(program.output, /\n\s+at /)
})

async function count(table: 'message' | 'rejection'): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`)
  return rows[0]?.n ?? 0
}

/** Whether workers have logged this many times that these versions are in force. */
function inForce(
  { program }: Awaited<ReturnType<typeof startProcessor>>,
  want: { active: number; shadow: number },
  times = 1
): boolean {
  const said = program.log.filter(
    ({ msg, active, shadow }) =>
      msg === 'payload schemas in force' && active === want.active && shadow === want.shadow
  )
  return said.length >= times
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
