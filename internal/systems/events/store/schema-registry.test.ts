import pg from 'pg'
import t from 'tap'
import { createPostgresPool } from '../../../engine/postgres/pool.js'
import { createTestDatabase } from '../../../lab/testing/database.js'
import { until } from '../../../lab/testing/until.js'
import { MAX_SHADOWS } from '../schemas/payload-schemas.js'
import { RECORDS_POOL } from './pool-uses.js'
import { createPostgresSchemaRegistry } from './postgres-schema-registry.js'
import type { AddOutcome, SchemaRegistry, SchemaVersion } from './schema-registry.js'

const { connectionString, pool } = await createTestDatabase(t)
const LIMITS = { statementTimeoutMs: 10_000, lockTimeoutMs: 10_000, queryDeadlineMs: 15_000 }

function open(): SchemaRegistry {
  const own = createPostgresPool({ connectionString, ...LIMITS }, RECORDS_POOL)
  t.teardown(() => own.end())
  return createPostgresSchemaRegistry(own)
}
const registry = open()
t.beforeEach(() => pool.query('TRUNCATE event_schema'))

const WAITING = `
SELECT FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database()
  AND application_name = '${RECORDS_POOL.applicationName}'`
const text = (maximum: number): string => JSON.stringify({ type: 'number', maximum })
const added = (outcome: AddOutcome): SchemaVersion => {
  if (outcome.kind !== 'added') throw new Error(JSON.stringify(outcome))
  return outcome.version
}
const add = async (maximum: number, clientId: string | null = null): Promise<SchemaVersion> =>
  added(await registry.add('user-app', clientId, text(maximum)))
const states = async (): Promise<string> =>
  (await registry.list())
    .map(({ clientId, version, state }) => `${clientId ?? '*'}/${version} ${state}`)
    .join(', ')

t.test(
  'versions are registered in shadow, numbered per place, with their text unchanged',
  async t => {
    const sent = '{ "type" : "number",\n "maximum" : 1.0 }'
    const one = added(await registry.add('user-app', null, sent))
    t.match(one, {
      eventType: 'user-app',
      clientId: null,
      version: 1,
      state: 'shadow',
      activatedAt: null,
      retiredAt: null
    })
    t.match(one.hash, /^[0-9a-f]{64}$/)
    t.equal((await registry.show(one.id))?.text, sent)
    await add(2)
    await add(2, 'client-1')
    t.equal(await states(), '*/1 shadow, */2 shadow, client-1/1 shadow')
    t.match(await registry.list({ clientId: null, version: 2 }), [{ clientId: null, version: 2 }])
    t.equal((await registry.list({ clientId: 'client-1' })).length, 1)
    t.equal((await registry.list({ eventType: 'monitor-app' })).length, 0)
    t.equal((await registry.list({ state: 'active' })).length, 0)
    t.equal(await registry.show(one.id + 1_000), null)
  }
)

t.test('an invalid schema is refused with pointer and reason, and nothing changes', async t => {
  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['{', '', /not JSON/],
    ['{"type":"nothing"}', '/type', /schema\/type must be/],
    [
      '{"type":"object","properties":{"a":{"minimum":"x"}}}',
      '/properties/a/minimum',
      /must be number/
    ],
    ['{"const":"\\u0000"}', '', /U\+0000/]
  ]
  for (const [text, pointer, message] of refused) {
    const outcome = await registry.add('user-app', null, text)
    t.match(outcome, { kind: 'refused', pointer, message }, text)
  }
  t.same(await registry.add('nothing', null, '{}'), { kind: 'unknown-event-type' })
  t.same(await registry.add('user-app', 'nobody', '{}'), { kind: 'unknown-client' })
  t.equal(await states(), '')
})

t.test('an equal schema is not a new version, however written, unless it is retired', async t => {
  const one = added(await registry.add('user-app', null, '{"type":"number","maximum":1}'))
  const again = '{ "maximum" : 1, "type" : "number" }'
  t.match(await registry.add('user-app', null, again), {
    kind: 'exists',
    version: { id: one.id }
  })
  t.match(await registry.add('user-app', 'client-1', again), { kind: 'added' }, 'another place')
  await registry.activate(one.id)
  t.match(await registry.add('user-app', null, again), {
    kind: 'exists',
    version: { id: one.id, state: 'active' }
  })
  await registry.retire(one.id)
  t.match(await registry.add('user-app', null, again), { kind: 'added', version: { version: 2 } })
})

t.test('the number of shadow versions per place is limited', async t => {
  for (let n = 1; n <= MAX_SHADOWS; n++) await add(n)
  t.match(await registry.add('user-app', null, text(0)), {
    kind: 'refused',
    message: /3 versions are in shadow already \(version 1, /
  })
  t.match(await registry.add('user-app', 'client-1', text(0)), { kind: 'added' })
})

t.test('an activation retires the active version and records who did it', async t => {
  const [one, two] = [await add(1), await add(2)]
  t.match(await registry.activate(one.id), {
    kind: 'activated',
    version: { state: 'active' },
    retired: null
  })
  const outcome = await registry.activate(two.id)
  t.match(outcome, {
    kind: 'activated',
    version: { id: two.id, state: 'active' },
    retired: { id: one.id, state: 'retired' }
  })
  const [, active] = await registry.list()
  t.type(active?.activatedAt, Date)
  t.equal(active?.activatedBy, new URL(connectionString).username)
  t.equal(await states(), '*/1 retired, */2 active')
  t.match(await registry.activate(one.id), { kind: 'wrong-state', version: { state: 'retired' } })
  t.match(await registry.activate(two.id), { kind: 'wrong-state', version: { state: 'active' } })
  t.same(await registry.activate(two.id + 1_000), { kind: 'not-found' })
})

t.test('a version can be retired from shadow and from active, once', async t => {
  const [one, two] = [await add(1), await add(2)]
  await registry.activate(one.id)
  for (const { id } of [one, two]) {
    t.match(await registry.retire(id), { kind: 'retired', version: { state: 'retired' } })
    t.match(await registry.retire(id), { kind: 'wrong-state' })
  }
  t.same(await registry.retire(two.id + 1_000), { kind: 'not-found' })
})

t.test(
  'of two operators who activate at once one wins; the other learns what is active',
  async t => {
    const beforehand = await add(0)
    for (const isFirst of [true, false]) {
      if (!isFirst) await registry.activate(beforehand.id)
      const candidates = [await add(isFirst ? 1 : 3), await add(isFirst ? 2 : 4)]
      // Both have looked, and both wait for the place.
      const gate = new pg.Client({ connectionString })
      await gate.connect()
      await gate.query('BEGIN')
      await gate.query(
        `SELECT pg_advisory_xact_lock(hashtextextended(concat_ws(chr(10), 'event_schema', 'user-app', null), 0))`
      )
      const both = Promise.all(candidates.map(({ id }) => open().activate(id)))
      await until('both wait', async () => (await pool.query(WAITING)).rowCount === 2)
      await gate.query('COMMIT')
      await gate.end()
      const outcomes = await both
      t.same(outcomes.map(({ kind }) => kind).sort(), ['activated', 'overtaken'])
      const [active] = await registry.list({ state: 'active' })
      for (const outcome of outcomes) {
        if (outcome.kind === 'overtaken') t.same(outcome.active, active)
        else if (outcome.kind === 'activated') t.equal(outcome.version.id, active?.id)
      }
      for (const version of await registry.list({ state: 'active' }))
        await registry.retire(version.id)
      for (const { id } of candidates) await registry.retire(id)
    }
  }
)

t.test('the table itself lets a version only go forward, and never lets it change', async t => {
  const one = await add(1)
  const refused = async (statement: string): Promise<string> =>
    pool.query(statement, [one.id]).then(
      () => 'allowed',
      (error: unknown) => (error as pg.DatabaseError).message
    )
  const changes = [
    `schema = '{}'`,
    `hash = 'x'`,
    'version = 9',
    `event_type = 'monitor-app'`,
    `client = 'client-1'`,
    `created_at = now()`
  ]
  for (const change of changes) {
    t.match(
      await refused(`UPDATE event_schema SET ${change} WHERE id = $1`),
      'version 1 of this event schema cannot change',
      change
    )
  }
  t.equal(
    await refused(
      `UPDATE event_schema SET activated_at = 'epoch', retired_at = 'epoch' WHERE id = $1`
    ),
    'allowed'
  )
  t.match(await registry.show(one.id), { activatedAt: null, retiredAt: null }, 'without effect')
  t.equal(await refused(`UPDATE event_schema SET state = 'active' WHERE id = $1`), 'allowed')
  t.match(
    await refused('DELETE FROM event_schema WHERE id = $1'),
    'version 1 of this event schema has been active and stays'
  )
  t.match(
    await refused(`UPDATE event_schema SET state = 'shadow' WHERE id = $1`),
    'not from active to shadow'
  )
  t.equal(await refused(`UPDATE event_schema SET state = 'retired' WHERE id = $1`), 'allowed')
  for (const state of ['shadow', 'active']) {
    t.match(
      await refused(`UPDATE event_schema SET state = '${state}' WHERE id = $1`),
      `not from retired to ${state}`
    )
  }
  const two = await add(2)
  t.equal(
    (await pool.query('DELETE FROM event_schema WHERE id = $1', [two.id])).rowCount,
    1,
    'a version that was never active may be deleted'
  )
})

t.test('the database computes the hash, whoever inserts', async t => {
  await pool.query(
    `INSERT INTO event_schema (event_type, version, schema, hash)
     VALUES ('user-app', 1, '{"maximum":1, "type":"number"}', 'mine')`
  )
  t.match(await registry.add('user-app', null, text(1)), {
    kind: 'exists',
    version: { version: 1, hash: /^[0-9a-f]{64}$/ }
  })
})
