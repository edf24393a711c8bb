import t from 'tap'
import { createTestDatabase } from '../../../lab/testing/database.js'
import { until } from '../../../lab/testing/until.js'
import { createClientSettingsSource } from './postgres-client-settings.js'

const { connectionString, pool } = await createTestDatabase(t)
const onNews = (): void => undefined

t.test(
  'only clients with settings are read, and each open source counts as a processor',
  async t => {
    await pool.query(`INSERT INTO client (name) SELECT 'c-' || n FROM generate_series(1, 100) AS n`)
    await pool.query(`UPDATE client SET weight = 3 WHERE name = 'c-7'`)
    await pool.query(
      `UPDATE client SET max_bytes_per_s = 0.5, over_quota = 'reject' WHERE name = 'c-9'`
    )
    const first = createClientSettingsSource({ connectionString, onNews })
    t.teardown(() => first.close())
    t.same(await first.read(3), {
      settings: [
        { client: 'c-7', weight: 3, maxEventsPerS: null, maxBytesPerS: null, overQuota: 'delay' },
        { client: 'c-9', weight: 1, maxEventsPerS: null, maxBytesPerS: 0.5, overQuota: 'reject' }
      ],
      processors: 1,
      names: ['c-7', 'c-9', 'c-1']
    })
    const second = createClientSettingsSource({ connectionString, onNews })
    t.equal((await second.read(1)).processors, 2)
    t.equal((await first.read(1)).processors, 2)
    await second.close()
    await until('the second is gone', async () => (await first.read(1)).processors === 1)
  }
)

t.test('the table refuses impossible limits', async t => {
  const set = (what: string) => pool.query(`UPDATE client SET ${what} WHERE name = 'client-1'`)
  for (const [what, constraint] of [
    ['weight = 0', 'client_weight'],
    ['weight = 101', 'client_weight'],
    ['max_events_per_s = 0', 'client_max_events_per_s'],
    [`max_events_per_s = 'NaN'`, 'client_max_events_per_s'],
    ['max_bytes_per_s = -1', 'client_max_bytes_per_s'],
    [`max_bytes_per_s = 'Infinity'`, 'client_max_bytes_per_s'],
    [`over_quota = 'drop'`, 'client_over_quota']
  ] as const) {
    await t.rejects(set(what), { code: '23514', constraint }, what)
  }
})
