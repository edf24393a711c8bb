/**
 * deployments/reader.sql: whatever a reader queries, it sees only its own clients' rows,
 * and no other role's rights change.
 */
import pg from 'pg'
import t from 'tap'
import { createTestDatabase } from '../testing/database.js'
import {
  sendBodies,
  serviceEnvironment,
  startProcessor,
  startProgram
} from '../testing/programs.js'
import { runSqlFile } from '../testing/sql-file.js'
import { startTestSqs } from '../testing/sqs.js'

const { connectionString, pool } = await createTestDatabase(t, { isMigrated: false })
const READERS = ['reader_one', 'reader_two', 'reader_both']
const ROLES = [
  ...READERS,
  ...['reader', 'processor', 'sender', 'admin', 'migrate'].map(role => `event_process_${role}`)
]
// Roles belong to the whole server: they must be gone before the database can be dropped.
t.teardown(async () => {
  await pool.query(`DROP OWNED BY ${ROLES.join(', ')} CASCADE`)
  await pool.query(`DROP ROLE ${ROLES.join(', ')}`)
})

const PASSWORD = 'a password of the test'
/** A hundred characters of up to three bytes: too long for a role name. */
const LONG_CLIENT = '"quoted" \'client\' 株式会社 '.padEnd(100, 'é').slice(0, 100)
const OWN_EVENTS = 300
const OTHERS_EVENTS = 500

const applyRoles = (): Promise<void> =>
  runSqlFile(pool, 'roles.sql', {
    migrate_password: PASSWORD,
    processor_password: PASSWORD,
    sender_password: PASSWORD,
    admin_password: PASSWORD
  })
const addReader = (reader: string, client: string): Promise<void> =>
  runSqlFile(pool, 'reader.sql', { reader, client, reader_password: PASSWORD })

function as(role: string): string {
  const url = new URL(connectionString)
  url.username = role
  url.password = PASSWORD
  return url.href
}

interface Session {
  readonly query: (
    statement: string,
    values?: unknown[]
  ) => Promise<readonly Record<string, unknown>[]>
  /** The first column of the first row, or the SQLSTATE of the error. */
  readonly ask: (statement: string) => Promise<unknown>
  readonly notices: string[]
}

async function connect(
  test: { teardown: (fn: () => Promise<void>) => void },
  role: string
): Promise<Session> {
  const client = new pg.Client({ connectionString: as(role) })
  await client.connect()
  test.teardown(() => client.end())
  const notices: string[] = []
  client.on('notice', ({ message }) => notices.push(String(message)))
  const query: Session['query'] = async (statement, values) =>
    (await client.query<Record<string, unknown>>(statement, values)).rows
  const ask: Session['ask'] = async statement => {
    const answer = await query(statement).then(
      rows => Object.values(rows[0] ?? {})[0],
      (error: unknown) => (error as pg.DatabaseError).code
    )
    await client.query('ROLLBACK')
    return answer
  }
  return { query, ask, notices }
}

const event = (over: object): string =>
  JSON.stringify({
    event_type: 'monitor-app',
    client_id: 'client-1',
    message: { cpu: 20 },
    ...over
  })

await t.test('the processor’s role stores and rejects with row-level security on', async t => {
  await applyRoles()
  const emulator = await startTestSqs(t)
  const migrated = startProgram(
    t,
    'migrate',
    serviceEnvironment(as('event_process_migrate'), emulator)
  )
  t.equal(await migrated.exited, 0, migrated.output)
  await applyRoles()
  await pool.query('INSERT INTO event_process.client (name) VALUES ($1)', [LONG_CLIENT])
  for (let time = 0; time < 2; time++) {
    await addReader('reader_one', 'client-1')
    await addReader('reader_two', 'client-2')
    await addReader('reader_both', 'client-2')
    await addReader('reader_both', LONG_CLIENT)
  }
  await applyRoles()
  const env = serviceEnvironment(as('event_process_processor'), emulator)
  const processor = await startProcessor(t, { ...env, WORKERS: '1', VISIBILITY_TIMEOUT_S: '2' })
  const many = (count: number, over: object): string[] =>
    Array.from({ length: count }, (_, n) => event({ event_id: `id-${n}`, ...over }))
  await sendBodies(emulator, [
    ...many(OWN_EVENTS, { message: 'of one' }),
    ...many(10, { message: 'of one' }),
    ...many(OTHERS_EVENTS, { client_id: 'client-2', message: 'a secret' }),
    event({ client_id: LONG_CLIENT, event_id: 'long' }),
    event({ event_id: 'id-0', message: 'another' }),
    event({ event_type: 'nothing' }),
    event({ client_id: 'client-2', event_id: 'id-1', message: 'another secret' }),
    event({ client_id: 'nobody' }),
    'not json'
  ])
  await processor.program.until('all are settled', () => {
    const { ready = [], inflight = [] } = emulator.server.inspectQueue('events')?.messages ?? {}
    return ready.length === 0 && inflight.length === 0
  })
  t.equal(await processor.program.end(), 0)
  t.notMatch(processor.program.output, 'permission denied')
  const { rows } = await pool.query(
    `SELECT (SELECT count(*)::int FROM event_process.message) AS stored,
            (SELECT string_agg(reason, ' ' ORDER BY reason) FROM event_process.rejection) AS rejected`
  )
  t.same(rows, [
    {
      stored: OWN_EVENTS + OTHERS_EVENTS + 1,
      rejected: 'conflict conflict not-json unknown-client unknown-event-type'
    }
  ])
  const admin = startProgram(t, 'admin', { ...env, DB_CONNECTION: as('event_process_admin') }, [
    'rejections',
    'redrive',
    '--all',
    '--json'
  ])
  t.equal(await admin.exited, 0, admin.output)
  t.match(admin.output, '"sent": 5', 'the admin’s role sees and marks all of them')
})

await t.test(
  'readers see their own clients’ rows, other roles all; no reader sees unknown clients',
  async t => {
    const all = OWN_EVENTS + OTHERS_EVENTS + 1
    const table = [
      { role: 'reader_one', messages: OWN_EVENTS, rejections: 2 },
      { role: 'reader_two', messages: OTHERS_EVENTS, rejections: 1 },
      { role: 'reader_both', messages: OTHERS_EVENTS + 1, rejections: 1 },
      { role: 'event_process_processor', messages: all, rejections: 5 },
      { role: 'event_process_admin', messages: all, rejections: 5 },
      { role: 'event_process_migrate', messages: all, rejections: 5 }
    ]
    for (const { role, messages, rejections } of table) {
      const { query } = await connect(t, role)
      const [seen] = await query(
        'SELECT (SELECT count(*)::int FROM message) AS messages, (SELECT count(*)::int FROM rejection) AS rejections'
      )
      t.same(seen, { messages, rejections }, role)
    }
    const both = await connect(t, 'reader_both')
    t.same(await both.query('SELECT DISTINCT fk_client_name AS client FROM message ORDER BY 1'), [
      { client: LONG_CLIENT },
      { client: 'client-2' }
    ])
    t.same(await both.query('SELECT client FROM client_reader ORDER BY 1'), [
      { client: LONG_CLIENT },
      { client: 'client-2' }
    ])
  }
)

await t.test('whatever a reader queries, it gets only its own rows', async t => {
  const { ask } = await connect(t, 'reader_one')
  const own = [
    ['SELECT count(*)::int FROM message', OWN_EVENTS],
    ['SELECT count(*)::int FROM ONLY message', OWN_EVENTS],
    [`SELECT count(*)::int FROM message WHERE fk_client_name = 'client-2'`, 0],
    [`SELECT count(*)::int FROM message WHERE fk_client_name = 'client-2' OR true`, OWN_EVENTS],
    [`SELECT count(*)::int FROM message WHERE message::text LIKE '%secret%'`, 0],
    ['SELECT count(*)::int FROM message AS a CROSS JOIN message AS b', OWN_EVENTS * OWN_EVENTS],
    ['SELECT count(*)::int FROM message FULL JOIN rejection USING (message_id)', OWN_EVENTS + 1],
    ['SELECT count(*)::int FROM message TABLESAMPLE SYSTEM (100)', OWN_EVENTS],
    [
      `SELECT count(*)::int FROM message WHERE ctid = ANY (ARRAY(SELECT format('(%s,%s)', a, b)::tid FROM generate_series(0, 99) a, generate_series(1, 99) b))`,
      OWN_EVENTS
    ],
    ['SELECT count(*)::int FROM (SELECT (m).* FROM message AS m) AS whole_rows', OWN_EVENTS],
    [
      `SELECT count(*)::int FROM (SELECT count(*) OVER () AS n FROM message LIMIT 1) x WHERE n = ${OWN_EVENTS}`,
      1
    ],
    [
      'WITH RECURSIVE m AS (SELECT * FROM message UNION SELECT * FROM m) SELECT count(*)::int FROM m',
      '42883'
    ],
    [
      `SELECT (xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM message', false, true, '')))[1]::text::int`,
      OWN_EVENTS
    ],
    ['SELECT count(*)::int FROM rejection', 2],
    [
      `SELECT count(*)::int FROM rejection WHERE client_name IS NULL OR client_name = 'nobody' OR client_name = 'client-2'`,
      0
    ],
    ['SELECT count(*)::int FROM client_reader', 1],
    [
      `SELECT count(*)::int FROM pg_stats WHERE tablename IN ('message', 'rejection') AND most_common_vals IS NOT NULL`,
      0
    ]
  ] as const
  for (const [statement, want] of own) t.same(await ask(statement), want, statement)
  const { stdout, stderr } = await copyOut('reader_one')
  t.equal(stdout.split('\n').length - 1, OWN_EVENTS, stderr)
})

await t.test(
  'a reader can change nothing, read no other table and assume no other role',
  async t => {
    const { ask } = await connect(t, 'reader_one')
    const sendersTables = [
      'endpoint',
      'endpoint_secret',
      'delivery',
      'delivery_attempt',
      'sender_cursor'
    ]
    const tables = [
      'message',
      'rejection',
      'client',
      'event_type',
      'event_schema',
      'client_reader',
      'pgmigrations',
      ...sendersTables
    ]
    const denied = [
      ...tables.flatMap(table => [
        `DELETE FROM ${table}`,
        `TRUNCATE ${table} CASCADE`,
        `DROP TABLE ${table} CASCADE`,
        `ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`,
        `CREATE POLICY mine ON ${table} USING (true)`,
        `COPY ${table} FROM STDIN`,
        `SELECT * FROM ${table} FOR KEY SHARE`,
        `CREATE TRIGGER mine BEFORE INSERT ON ${table} EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
        `CREATE RULE mine AS ON INSERT TO ${table} DO INSTEAD NOTHING`,
        `CREATE STATISTICS mine ON 1 FROM ${table}`.replace(
          '1',
          table === 'message' ? 'message_id, fk_client_name' : 'ctid, xmin'
        )
      ]),
      ...['client', 'event_type', 'event_schema', 'pgmigrations', ...sendersTables].map(
        table => `SELECT * FROM ${table}`
      ),
      // Not even for its own client: a response may hold the recipient's private data,
      // and attempts have no client name.
      `SELECT state FROM delivery WHERE fk_client_name = 'client-1'`,
      `SELECT url FROM endpoint WHERE fk_client_name = 'client-1'`,
      'SELECT * FROM event_process_jobs.job',
      ...['message', 'rejection'].map(table => `DROP POLICY own_client ON ${table}`),
      'SELECT * FROM message JOIN client ON client.name = fk_client_name',
      ...['client-1', 'client-2'].flatMap(client => [
        `INSERT INTO message (message_id, message, fk_event_type_name, fk_client_name) VALUES ('mine', '{}', 'user-app', '${client}')`,
        `INSERT INTO message (message_id, message, fk_event_type_name, fk_client_name) VALUES ('id-1', '{}', 'user-app', '${client}') ON CONFLICT DO NOTHING`,
        `UPDATE message SET message = '{}' WHERE fk_client_name = '${client}'`,
        `UPDATE rejection SET redriven_at = now() WHERE client_name = '${client}'`,
        `INSERT INTO client_reader (role_name, client) VALUES ('reader_one', '${client}')`,
        `UPDATE client_reader SET client = '${client}'`,
        `MERGE INTO message USING (SELECT 1) AS s ON fk_client_name = '${client}' WHEN MATCHED THEN DELETE`
      ]),
      'CREATE TEMP TABLE oracle (client varchar(100), id text, FOREIGN KEY (client, id) REFERENCES message (fk_client_name, message_id))',
      'SET row_security = off; SELECT count(*) FROM message',
      'SET ROLE reader_two',
      'SET ROLE event_process_processor',
      'SET SESSION AUTHORIZATION reader_two',
      'ALTER ROLE reader_one BYPASSRLS',
      'GRANT event_process_processor TO reader_one',
      `COPY message TO '/dev/null'`,
      `COPY message TO PROGRAM 'cat'`,
      `SELECT pg_read_file('/etc/passwd')`,
      'SELECT * FROM pg_authid',
      'SELECT * FROM pg_statistic',
      'CREATE TABLE mine ()',
      'CREATE FUNCTION mine() RETURNS int LANGUAGE sql LEAKPROOF AS $$SELECT 1$$'
    ]
    for (const statement of denied)
      t.match(await ask(statement), /^(?:42501|42809|0A000|42P16)$/, statement)
    // It may not grant its read rights to others; PostgreSQL only warns about that.
    await ask('GRANT SELECT ON message, rejection, client_reader TO event_process_processor')
    const { rows } = await pool.query(
      `SELECT DISTINCT grantee FROM information_schema.role_table_grants WHERE table_name = 'client_reader' AND privilege_type = 'SELECT' ORDER BY 1`
    )
    t.same(
      rows.map(row => (row as { grantee: string }).grantee),
      ['event_process_admin', 'event_process_migrate', 'event_process_reader']
    )
  }
)

await t.test('no function, error or plan shows a reader another client’s row', async t => {
  const { query, ask, notices } = await connect(t, 'reader_one')
  await query(`CREATE FUNCTION pg_temp.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
    BEGIN RAISE NOTICE '%', $1; RETURN true; END $$`)
  await query('SELECT count(*) FROM message WHERE pg_temp.tell(message::text)')
  await query('SELECT count(*) FROM rejection WHERE pg_temp.tell(body)')
  await query(
    'SELECT count(*) FROM message a JOIN message b ON pg_temp.tell(a.message::text) AND a.message_id = b.message_id'
  )
  t.equal(notices.filter(text => text.includes('secret')).length, 0)
  t.equal(new Set(notices).size, 3, 'its own payload, and its two rejections')

  const oracles = [
    `SELECT count(*)::int FROM message WHERE 1 / (CASE WHEN message::text LIKE '%secret%' THEN 0 ELSE 1 END) = 1`,
    `SELECT count(*)::int FROM message WHERE fk_client_name = 'client-2' AND message::text::int = 1`,
    `SELECT count(*)::int FROM rejection WHERE body::int = 1 AND client_name IS NULL`
  ]
  t.same(await ask(oracles[0] ?? ''), OWN_EVENTS)
  for (const oracle of oracles.slice(1))
    t.equal(await ask(oracle), 0, 'no other client’s value reaches a function that fails on it')

  const plan = JSON.stringify(
    await query(
      `EXPLAIN (ANALYZE, VERBOSE, COSTS OFF) SELECT * FROM message WHERE pg_temp.tell(message::text)`
    )
  )
  t.notMatch(plan, 'client-2')
  t.notMatch(plan, 'secret')
})

await t.test(
  'extra grants do not widen a reader; roles that bypass row-level security are refused',
  async t => {
    await pool.query(
      'GRANT SELECT ON event_process.message TO reader_one; GRANT pg_read_all_data TO reader_one'
    )
    const { ask } = await connect(t, 'reader_one')
    t.equal(await ask('SELECT count(*)::int FROM message'), OWN_EVENTS)
    await pool.query('REVOKE pg_read_all_data FROM reader_one')

    const superuser = new URL(connectionString).username
    for (const role of [superuser, 'event_process_migrate', 'event_process_processor']) {
      await t.rejects(addReader(role, 'client-1'), { code: 'P0001' }, role)
    }
    await t.rejects(addReader('reader_one', 'nobody'), { code: '23503' })
    const { rows } = await pool.query(
      'SELECT role_name FROM event_process.client_reader ORDER BY 1'
    )
    t.same(
      rows.map(row => (row as { role_name: string }).role_name),
      ['reader_both', 'reader_both', 'reader_one', 'reader_two']
    )
  }
)

await t.test('a reader whose client is removed sees nothing any more', async t => {
  const { query, ask } = await connect(t, 'reader_two')
  await query('PREPARE count AS SELECT count(*)::int FROM message')
  t.equal(await ask('EXECUTE count'), OTHERS_EVENTS)
  await pool.query(`DELETE FROM event_process.client_reader WHERE role_name = 'reader_two'`)
  t.equal(await ask('EXECUTE count'), 0)
  t.equal(await ask('SELECT count(*)::int FROM rejection'), 0)
})

/** Uses the server's COPY, which reads the rows in a different way. */
async function copyOut(role: string): Promise<{ stdout: string; stderr: string }> {
  const client = new pg.Client({ connectionString: as(role) })
  await client.connect()
  const chunks: Buffer[] = []
  const errors: string[] = []
  client.connection.on('copyData', ({ chunk }: { chunk: Buffer }) => chunks.push(chunk))
  await client.query('COPY message TO STDOUT').catch((error: unknown) => errors.push(String(error)))
  await client.end()
  return { stdout: Buffer.concat(chunks).toString(), stderr: errors.join() }
}
