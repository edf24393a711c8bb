/**
 * Whole runs with secrets, payloads and ids planted everywhere and every kind of failure
 * provoked: none of them is ever printed.
 *
 * Needs its own server, which asks for a password, is stopped, and has triggers that
 * quote rows in their errors.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { createPostgresData } from '../testing/postgres-data.js'
import {
  type Program,
  sendBodies,
  serviceEnvironment,
  startProcessor,
  startProgram
} from '../testing/programs.js'
import { startTestSqs, type TestSqs } from '../testing/sqs.js'
import { answerJson, startStubHttp } from '../testing/stub-http.js'
import { startTestPostgres } from '../testing/test-postgres.js'

/**
 * Every secret, payload and id of these runs contains this word, so one search finds any
 * of them.
 */
const PLANTED = 'plantedword'
const PASSWORD = `${PLANTED}-password`
const AWS_SECRETS = {
  AWS_SECRET_ACCESS_KEY: `${PLANTED}-secret-key`,
  AWS_SESSION_TOKEN: `${PLANTED}-session-token`
}

const dataDir = await createPostgresData(t)
let server = await startTestPostgres({ dataDir, port: 0 })
t.teardown(() => server.stop())
const { connectionString, port } = server

async function run(...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}

const withUser = (user: string, password: string): string => {
  const url = new URL(connectionString)
  url.username = user
  url.password = password
  return url.href
}

function assertSilent(t: Test, { output }: Program, what: string): void {
  const at = output.indexOf(PLANTED)
  t.equal(
    at,
    -1,
    `${what}: ${at === -1 ? 'nothing planted is printed' : output.slice(Math.max(0, at - 300), at + 100)}`
  )
  t.ok(output.length > 0, `${what}: and something is printed at all`)
}

const event = (over: object = {}): string =>
  JSON.stringify({
    event_type: 'monitor-app',
    client_id: 'client-1',
    message: { text: `${PLANTED} payload` },
    ...over
  })
const id = (name: string): { event_id: string } => ({ event_id: `${PLANTED}-id-${name}` })

/** Bodies that fail in every possible way, in our code and in the database. */
const BODIES = [
  event(id('good')),
  event(id('good')),
  event({ ...id('good'), message: `${PLANTED} of a conflict` }),
  PLANTED,
  `{"${PLANTED}":`,
  `["${PLANTED}"]`,
  event({ client_id: `${PLANTED}-unknown` }),
  event({ event_type: `${PLANTED}-unknown` }),
  event({ client_id: `${PLANTED}\0` }),
  event({ event_id: PLANTED.repeat(50) }),
  event({ [PLANTED]: PLANTED, message: 5 }),
  event({ event_type: 'user-app', message: { [PLANTED]: PLANTED } }),
  event({ ...id('constraint'), message: `${PLANTED} refused by a constraint` }),
  event({ ...id('trigger'), message: `${PLANTED} refused by a trigger` }),
  event({ ...id('unwritable'), message: `${PLANTED} unwritable` })
]

await run(
  `ALTER TABLE message ADD CONSTRAINT refused_by_a_constraint CHECK (message::text NOT LIKE '%by a constraint%')`,
  `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
     RAISE EXCEPTION 'refused: %', row_to_json(NEW) USING DETAIL = row_to_json(NEW)::text, HINT = row_to_json(NEW)::text;
   END $$`,
  `CREATE TRIGGER refuse BEFORE INSERT ON message FOR EACH ROW WHEN (NEW.message::text LIKE ANY ('{%by a trigger%,%unwritable%}')) EXECUTE FUNCTION refuse()`,
  `CREATE TRIGGER refuse BEFORE INSERT ON rejection FOR EACH ROW WHEN (NEW.body LIKE '%unwritable%') EXECUTE FUNCTION refuse()`,
  `INSERT INTO event_schema (event_type, version, state, schema, hash)
   VALUES ('user-app', 1, 'active', '{"type": "object", "additionalProperties": {"enum": ["${PLANTED}-enum"]}}', 'h')`
)

const left = ({ server: emulator }: TestSqs): number => {
  const { ready = [], inflight = [] } = emulator.inspectQueue('events')?.messages ?? {}
  return ready.length + inflight.length
}

/** Each level of the log, and each program with each wrong connection: a long test. */
const EVERY_WAY = process.env['SECRETS_EVERY_WAY'] === 'yes'
/** A lower level prints a part of what trace prints. */
const LEVELS = EVERY_WAY ? ['info', 'debug', 'trace'] : ['trace']

for (const level of LEVELS) {
  await t.test(
    `a run with every kind of bad event and an outage prints no payload, id or secret at ${level}`,
    async t => {
      await run('TRUNCATE message, rejection')
      const emulator = await startTestSqs(t)
      const env = {
        ...serviceEnvironment(withUser('postgres', PASSWORD), emulator),
        ...AWS_SECRETS,
        LOG_LEVEL: level,
        MAX_RECEIVE_COUNT: '2'
      }
      const processor = await startProcessor(t, { ...env, VISIBILITY_TIMEOUT_S: '2' })
      await sendBodies(emulator, BODIES)
      await processor.program.until(
        'all but the unwritable one are settled',
        () => left(emulator) <= 1
      )
      await processor.program.until('that one was given up', () =>
        processor.program.output.includes('message has no disposition')
      )
      await server.stop()
      await sendBodies(emulator, [event(id(`during-${level}`))])
      await processor.program.until('the outage is noticed', () =>
        processor.program.output.includes('database fails')
      )
      server = await startTestPostgres({ dataDir, port })
      await processor.program.until('all is over', () => left(emulator) === 0)
      t.equal(await processor.program.end(), 0)
      assertSilent(t, processor.program, level)
      t.match(processor.program.output, '"reason":"SQLSTATE P0001"')
      const client = new pg.Client({ connectionString })
      await client.connect()
      const { rows } = await client.query<{ reason: string; n: number }>(
        'SELECT reason, count(*)::int AS n FROM rejection GROUP BY 1 ORDER BY 1'
      )
      await client.end()
      t.same(Object.fromEntries(rows.map(({ reason, n }) => [reason, n])), {
        conflict: 1,
        'invalid-field': 2,
        'not-an-object': 1,
        'not-json': 2,
        'schema-violation': 1,
        'unknown-client': 1,
        'unknown-event-type': 1,
        unstorable: 3
      })
    }
  )
}

await t.test('a refused or unusable password is not printed', async t => {
  const hba = join(dataDir, 'postgres', 'pg_hba.conf')
  writeFileSync(hba, `host all locked 127.0.0.1/32 scram-sha-256\n${readFileSync(hba, 'utf8')}`)
  await run(`CREATE ROLE locked LOGIN PASSWORD 'another one'`, 'SELECT pg_reload_conf()')
  const emulator = await startTestSqs(t)
  const nobody = new URL(withUser('locked', PASSWORD))
  nobody.port = '1'
  for (const [what, connection] of [
    ['a wrong password', withUser('locked', PASSWORD)],
    ['an unreadable URL', withUser('locked', PASSWORD).replace(`:${port}`, ':port')],
    ['another kind of URL', withUser('locked', PASSWORD).replace('postgresql', 'mysql')],
    ['a database that is not there', `${withUser('postgres', PASSWORD)}_not`],
    [
      'a certificate that is not there',
      `${withUser('locked', PASSWORD)}?sslmode=verify-full&sslrootcert=/no/such/file`
    ],
    ['a server that is not there', nobody.href]
  ] as const) {
    const isAll = EVERY_WAY || what === 'a wrong password'
    const programs = isAll ? (['processor', 'migrate', 'sql'] as const) : ['processor' as const]
    const ends = programs.map(async name => {
      const env = {
        ...serviceEnvironment(connection, emulator),
        ...AWS_SECRETS,
        LOG_LEVEL: 'trace'
      }
      const program = startProgram(t, name, env, name === 'sql' ? ['SELECT 1'] : [])
      const complaint = program.until('it complains', () =>
        /cannot|refuses|Wrong/.test(program.output)
      )
      await Promise.race([program.exited, complaint.catch(() => undefined)])
      await program.end()
      assertSilent(t, program, `${what}, ${name}`)
    })
    await Promise.all(ends)
  }
})

await t.test(
  'a refusal that quotes the request does not put the session token into the log',
  async t => {
    const emulator = await startTestSqs(t)
    // AWS's text for a signature that does not match.
    const refusal = (headers: object, body: string): object => ({
      __type: 'com.amazon.coral.service#SignatureDoesNotMatch',
      message: `The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for this request should have been\n'POST\n/\n\n${JSON.stringify(headers)}\n${body}'`
    })
    let isRefusing = true
    const proxy = await startStubHttp(t, (reply, { headers, body }) => {
      const target = String(headers['x-amz-target'])
      if (isRefusing || target.endsWith('.ReceiveMessage'))
        return answerJson(reply, 403, refusal(headers, body))
      const passed = {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': target,
        authorization: String(headers.authorization)
      }
      void fetch(emulator.endpoint, { method: 'POST', headers: passed, body }).then(async answer =>
        answerJson(reply, answer.status, await answer.text())
      )
    })
    const env = {
      ...serviceEnvironment(connectionString, { endpoint: proxy.origin }),
      ...AWS_SECRETS,
      LOG_LEVEL: 'trace'
    }
    const program = startProgram(t, 'processor', env)
    await program.until('it cannot open the queue', () =>
      program.output.includes('cannot open the queue yet')
    )
    isRefusing = false
    await program.until('it cannot receive', () => program.output.includes('receive failed'))
    t.ok(
      proxy.requests.some(({ headers }) =>
        String(headers['x-amz-security-token']).includes(PLANTED)
      ),
      'the token was sent'
    )
    t.equal(await program.end(), 0)
    t.match(program.output, 'The request signature we calculated does not match')
    assertSilent(t, program, 'processor')
  }
)
