/**
 * `schemas add`, `test` and `activate` on a real registry, for schemas as people write
 * them.
 */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { parseCommandLine } from '../../../engine/cli/command-line.js'
import { createOutput } from '../../../engine/cli/output.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import { createPostgresPool } from '../../../engine/postgres/pool.js'
import { createTestDatabase } from '../../../lab/testing/database.js'
import { temporaryDirectory } from '../../../lab/testing/programs.js'
import { RIGHT_SCHEMAS } from '../../../lab/testing/right-schemas.js'
import { WRONG_SCHEMAS } from '../../../lab/testing/wrong-schemas.js'
import { createPostgresDeliveryRecords } from '../delivery/store/postgres-delivery-records.js'
import { createPostgresEndpoints } from '../delivery/store/postgres-endpoints.js'
import { RECORDS_POOL } from '../store/pool-uses.js'
import { createPostgresClientLimits } from '../store/postgres-client-limits.js'
import { createPostgresClients, createPostgresEventTypes } from '../store/postgres-names.js'
import { createPostgresRecords } from '../store/postgres-records.js'
import { createPostgresSchemaRegistry } from '../store/postgres-schema-registry.js'
import { ADMIN_COMMANDS } from './commands.js'
import type { AdminContext } from './context.js'

const { connectionString, pool } = await createTestDatabase(t)
const options = {
  connectionString,
  statementTimeoutMs: 10_000,
  lockTimeoutMs: 10_000,
  queryDeadlineMs: 15_000
}
const own = createPostgresPool(options, RECORDS_POOL)
const schemas = createPostgresSchemaRegistry(own)
t.teardown(() => own.end())
const services = {
  records: createPostgresRecords(own),
  clients: createPostgresClients(own),
  clientLimits: createPostgresClientLimits(own),
  eventTypes: createPostgresEventTypes(own),
  endpoints: createPostgresEndpoints(own),
  deliveries: createPostgresDeliveryRecords(own),
  egress: () => {
    throw new Error('schemas have nothing to do with recipients')
  },
  schemas,
  queues: () => Promise.reject(new Error('schemas have nothing to do with queues')),
  clock,
  signal: new AbortController().signal
}

const PROGRAM = {
  name: 'admin',
  introduction: '',
  conventions: '',
  exitCodes: '',
  commands: ADMIN_COMMANDS
}

async function admin(
  ...args: string[]
): Promise<{ code: number; results: string; remarks: string }> {
  const [results, remarks] = [new PassThrough(), new PassThrough()]
  const context: AdminContext = { ...services, output: createOutput(results, remarks) }
  const command = parseCommandLine(args, PROGRAM, clock.epochMs())
  if (command.kind === 'help') throw new Error('no help was asked for')
  const code = await command.work(context)
  const textOf = (stream: PassThrough): string => String(stream.read() ?? '')
  return { code, results: textOf(results), remarks: textOf(remarks) }
}

const directory = temporaryDirectory(t)
const fileOf = (schema: unknown): string => {
  const path = join(directory, 'schema.json')
  writeFileSync(path, typeof schema === 'string' ? schema : JSON.stringify(schema))
  return path
}
const table = async (): Promise<unknown> =>
  (await pool.query('SELECT *, xmin FROM event_schema ORDER BY id')).rows
const PLACE = ['--event-type', 'user-app', '--json']

t.beforeEach(() => pool.query('TRUNCATE event_schema, message'))

t.test('add and test refuse a wrong schema with its place and reason; nothing changes', async t => {
  await admin('schemas', 'add', fileOf({ type: 'object' }), ...PLACE)
  const before = await table()
  for (const { why, schema, refusedAt, reason } of WRONG_SCHEMAS) {
    const added = await admin('schemas', 'add', fileOf(schema), ...PLACE)
    t.equal(added.code, 1, why)
    t.match(
      JSON.parse(added.results),
      { outcome: 'refused', pointer: refusedAt, message: reason },
      why
    )
    if (refusedAt !== '')
      t.ok(
        added.remarks.startsWith(`The schema is refused at ${refusedAt}: `),
        `${why}: ${added.remarks}`
      )
    if (why.startsWith('what the database')) continue
    const tested = await admin('schemas', 'test', fileOf(schema), ...PLACE, '--against', 'stored')
    t.match(tested, { code: 1, results: '', remarks: reason }, why)
  }
  t.same(await table(), before)
})

t.test('a right schema is added, tested on stored events, and activated', async t => {
  for (const { why, schema, takes, breaks } of RIGHT_SCHEMAS) {
    await pool.query('TRUNCATE event_schema, message')
    const payloads = [...takes, ...breaks.map(([payload]) => payload)]
    await pool.query(
      `INSERT INTO message (message_id, message, fk_event_type_name, fk_client_name)
       SELECT n, payload::json, 'user-app', 'client-1' FROM unnest($1::text[]) WITH ORDINALITY AS p (payload, n)`,
      [payloads.map(payload => JSON.stringify(payload))]
    )
    const added = await admin('schemas', 'add', fileOf(schema), ...PLACE)
    t.equal(added.code, 0, `${why}: ${added.remarks}`)
    const { id } = (JSON.parse(added.results) as { schema: { id: number } }).schema
    const before = await table()
    const tested = await admin(
      'schemas',
      'test',
      '--id',
      String(id),
      '--against',
      'stored',
      '--json',
      '--limit',
      '99'
    )
    t.same(await table(), before, why)
    t.equal(tested.code, breaks.length > 0 ? 1 : 0, why)
    const report = JSON.parse(tested.results) as {
      accepted: number
      examples: { id: string; pointer: string; keyword: string }[]
    }
    t.equal(report.accepted, takes.length, why)
    t.same(
      report.examples
        .toSorted((a, b) => Number(a.id) - Number(b.id))
        .map(({ pointer, keyword }) => [pointer, keyword]),
      breaks.map(([, pointer, keyword]) => [`/message${pointer}`, keyword]),
      why
    )
    t.match(
      await admin('schemas', 'activate', String(id)),
      { code: 0, results: /is active\n$/ },
      why
    )
  }
})
