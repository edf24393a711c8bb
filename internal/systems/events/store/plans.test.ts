import pg from 'pg'
import t from 'tap'
import { createWholeSender } from '../../../lab/testing/whole-sender.js'
import { createPostgresDeliveries } from '../delivery/store/postgres-deliveries.js'

// Enough rows to tell a full read from reading a page.
const EVENTS = 20_000
const PAGE = 100

const whole = await createWholeSender(t)
const { pool } = whole

/**
 * One session that gets the plan of each statement, with the rows that each step read.
 */
const plans: string[] = []
const explained = new pg.Pool({ connectionString: whole.connectionString, max: 1 })
explained.on('connect', client => client.on('notice', ({ message }) => plans.push(String(message))))
t.teardown(() => explained.end())
for (const statement of [
  `LOAD 'auto_explain'`,
  'SET auto_explain.log_analyze = on',
  'SET auto_explain.log_timing = off',
  'SET auto_explain.log_min_duration = 0',
  'SET auto_explain.log_level = notice'
])
  await explained.query(statement)
const deliveries = createPostgresDeliveries(explained, whole.lanes.wake)

const client = await whole.addClient()
const endpoint = await client.addEndpoint('https://recipient.example/events')
await pool.query(
  'ALTER TABLE message SET (autovacuum_enabled = off); ALTER TABLE delivery SET (autovacuum_enabled = off)'
)
// In many transactions, as the processor writes them.
for (let n = 0; n < EVENTS; n += 1_000)
  await client.store(...Array.from({ length: 1_000 }, (_, index) => `e${n + index}`))
const CURSOR = 'SELECT tx::text AS tx FROM sender_cursor'
const { tx: beginning } = (await pool.query<{ tx: string }>(CURSOR)).rows[0]!
while (((await whole.deliveries.fanOut(5_000))?.events ?? 0) > 0) plans.length = 0

/** The most rows of these tables that one step of a plan has read. */
async function mostRead(work: () => Promise<unknown>): Promise<number> {
  plans.length = 0
  await work()
  const touched = plans.flatMap(plan => {
    const steps = plan.split('\n').map(line => line.trim())
    return steps.flatMap((step, n) => {
      const rows =
        /Scan .*\bon (?:message|delivery)(?:_\w+)?\b.*actual rows=([\d.]+) loops=(\d+)/.exec(step)
      if (rows === null) return []
      const removed = steps
        .slice(n, n + 6)
        .map(line => Number(/Rows Removed by Filter: (\d+)/.exec(line)?.[1] ?? 0))
      return [Number(rows[1]) * Number(rows[2]) + Math.max(...removed)]
    })
  })
  t.ok(touched.length > 0, 'the server has sent plans')
  return Math.max(...touched)
}

for (const isAnalyzed of [false, true]) {
  t.test(
    `${isAnalyzed ? 'with' : 'without'} statistics, each statement of the sender reads only its page`,
    async t => {
      if (isAnalyzed) await pool.query('ANALYZE')
      await pool.query(
        `UPDATE sender_cursor SET tx = $1::text::xid8, fk_client_name = '', message_id = ''`,
        [beginning]
      )
      // A transaction is sorted as a whole, so the page may read one to its end.
      t.ok((await mostRead(() => deliveries.fanOut(PAGE))) <= PAGE + 1_001, 'fan-out')
      let ids: readonly string[] = []
      const due = async (): Promise<void> => {
        ids = (await deliveries.due(endpoint.id, PAGE, ids)).map(({ id }) => id)
      }
      t.ok((await mostRead(due)) <= 2 * PAGE, 'due')
      t.ok((await mostRead(due)) <= 2 * PAGE, 'due, without the duties under way')
      t.ok((await mostRead(() => deliveries.wakeDue())) <= PAGE, 'wake due')
      const settled = ids.map(dutyId => ({
        dutyId,
        attempt: 1,
        startedAtMs: 1_000,
        result: { kind: 'answered' as const, status: 200, responseHead: '', ms: 1 },
        fate: { kind: 'done' as const }
      }))
      t.ok((await mostRead(() => deliveries.settle(settled))) <= PAGE, 'settle')
      // The plan of a scan of all pending rows would show only the rows that it found.
      t.notOk(plans.join().includes('delivery_due'), 'settle finds its rows by their keys')
      await pool.query(`UPDATE endpoint SET state = 'disabled-by-operator', disabled_at = now()`)
      t.ok((await mostRead(() => deliveries.endDisabled(10))) <= 10, 'end disabled')
      await pool.query(`UPDATE endpoint SET state = 'enabled', disabled_at = NULL`)
    }
  )
}
