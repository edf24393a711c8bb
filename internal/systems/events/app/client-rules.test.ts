import t, { type Test } from 'tap'
import { createLog } from '../../../engine/observe/log.js'
import { createTestDatabase } from '../../../lab/testing/database.js'
import { createManualClock } from '../../../lab/testing/manual-clock.js'
import { until } from '../../../lab/testing/until.js'
import { createClientRules, followClientRules } from './client-rules.js'
import type { RulesForWorkers } from './protocol.js'

const { connectionString, pool } = await createTestDatabase(t)
const log = createLog('test', { level: 'silent', format: 'json' }, false)
const setWeight = (weight: number) =>
  pool.query(`UPDATE client SET weight = $1 WHERE name = 'client-1'`, [weight])
const sessions = async (): Promise<number> => {
  const sql = `SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'event-process clients' AND datname = current_database()`
  return Number((await pool.query<{ count: string }>(sql)).rows[0]?.count)
}

t.beforeEach(() => setWeight(1))

/** Follows on a clock that stands still, so every change heard came by notification. */
async function setup(t: Test) {
  const clock = createManualClock()
  const stop = new AbortController()
  t.teardown(async () => {
    stop.abort()
    await until('its session is gone', async () => (await sessions()) === before)
  })
  const before = await sessions()
  const heard: RulesForWorkers[] = []
  const onChanged = (rules: RulesForWorkers): void => void heard.push(rules)
  followClientRules({
    connectionString,
    workers: 2,
    maxLabels: 50,
    clock,
    log,
    signal: stop.signal,
    onChanged
  })
  await until('the rules are known', () => heard.length > 0)
  const weight = () => heard.at(-1)?.settings[0]?.weight ?? 1
  return { clock, stop, heard, weight }
}

t.test('the database announces what an operator sets; no look is needed', async t => {
  const { heard, weight } = await setup(t)
  await setWeight(7)
  await until('the weight is heard', () => weight() === 7)
  await pool.query(
    `UPDATE client SET max_events_per_s = 5, over_quota = 'reject' WHERE name = 'client-2'`
  )
  await until('the quota is heard', () => heard.at(-1)?.settings.length === 2)
  await pool.query(`INSERT INTO client (name) VALUES ('client-9')`)
  await until('the client is heard', () => heard.at(-1)?.labels.includes('client-9') === true)
  await pool.query(`DELETE FROM client WHERE name = 'client-9'`)
  await pool.query(`UPDATE client SET max_events_per_s = NULL, over_quota = 'delay'`)
})

t.test('changes made while the connection is lost are read on reconnecting', async t => {
  const { clock, weight } = await setup(t)
  const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'event-process clients' AND datname = current_database()`
  await Promise.all([pool.query(end), setWeight(8)])
  await until('the weight is known', async () => {
    // A look that fails with the connection is tried again after a moment.
    await clock.advanceAsync(100)
    return weight() === 8
  })
  await setWeight(9)
  await until('the new connection listens', () => weight() === 9)
})

t.test('a second processor shares the quotas from its start until it is gone', async t => {
  const one = await setup(t)
  t.equal(one.heard.at(-1)?.sharers, 2)
  const other = await setup(t)
  await until('both share', () => [one, other].every(({ heard }) => heard.at(-1)?.sharers === 4))
  other.stop.abort()
  await until('its session is gone', async () => (await sessions()) === 1)
  await until('the next look finds it gone', async () => {
    await one.clock.advanceAsync(10_000)
    return one.heard.at(-1)?.sharers === 2
  })
})

t.test('a periodic look finds a change whose notification was lost', async t => {
  const { clock, weight } = await setup(t)
  await pool.query('ALTER TABLE client DISABLE TRIGGER client_changed')
  t.teardown(() => pool.query('ALTER TABLE client ENABLE TRIGGER client_changed'))
  await setWeight(6)
  await until('it is found', async () => {
    await clock.advanceAsync(10_000)
    return weight() === 6
  })
})

t.test('a worker has its share of each quota; an unchanged quota keeps its object', async t => {
  const rules = createClientRules()
  t.same([rules.hasQuotas, rules.weightOf('a'), rules.quotaOf('a')], [false, 1, null])
  const a = {
    client: 'a',
    weight: 3,
    maxEventsPerS: 10,
    maxBytesPerS: null,
    overQuota: 'reject' as const
  }
  const b = {
    client: 'b',
    weight: 2,
    maxEventsPerS: null,
    maxBytesPerS: null,
    overQuota: 'delay' as const
  }
  rules.replace({ settings: [a, b], sharers: 4, labels: [] })
  const quota = rules.quotaOf('a')
  t.same(
    [rules.hasQuotas, rules.weightOf('a'), quota],
    [true, 3, { maxEventsPerS: 2.5, maxBytesPerS: null, overQuota: 'reject' }]
  )
  t.same([rules.weightOf('b'), rules.quotaOf('b')], [2, null])
  rules.replace({ settings: [{ ...a, weight: 1 }], sharers: 4, labels: [] })
  t.equal(rules.quotaOf('a'), quota, 'what its account has used still counts')
  rules.replace({ settings: [a], sharers: 5, labels: [] })
  t.equal(rules.quotaOf('a')?.maxEventsPerS, 2)
})
