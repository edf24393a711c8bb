/**
 * Weights, quotas and metrics per client with real processes: an operator's SQL takes
 * effect within seconds.
 */
import t from 'tap'
import { createTestDatabase } from '../testing/database.js'
import { sendBodies, serviceEnvironment, startProcessor } from '../testing/programs.js'
import { startTestSqs } from '../testing/sqs.js'

const { connectionString, pool } = await createTestDatabase(t, { isMigrated: false })
const bodies = (client: string, count: number, prefix: string): string[] =>
  Array.from({ length: count }, (_, n) =>
    JSON.stringify({
      client_id: client,
      event_type: 'of-this-test',
      message: { n },
      event_id: `${prefix}-${n}`
    })
  )
const count = async (sql: string): Promise<number> =>
  Number((await pool.query<{ count: string }>(sql)).rows[0]?.count)

t.test(
  'a client over its quota is delayed or refused, others are stored; metrics say who',
  async t => {
    const emulator = await startTestSqs(t)
    const processor = await startProcessor(t, {
      ...serviceEnvironment(connectionString, emulator),
      WORKERS: '2',
      IN_FLIGHT_MAX_MESSAGES: '200'
    })
    await pool.query(`INSERT INTO event_type (name) VALUES ('of-this-test')`)
    await pool.query(
      `UPDATE client SET max_events_per_s = 20, over_quota = 'reject' WHERE name = 'client-1'`
    )
    await pool.query(`UPDATE client SET max_events_per_s = 40, weight = 5 WHERE name = 'client-2'`)
    const inForce = () =>
      processor.program.log.filter(line => line['msg'] === 'weights and quotas in force').at(-1)?.[
        'clients'
      ] === 2
    await processor.program.until('both are in force', inForce)

    await sendBodies(emulator, [
      ...bodies('client-1', 300, 'a'),
      ...bodies('client-2', 300, 'b'),
      ...bodies('client-3', 300, 'c'),
      'not json'
    ])
    await processor.program.until('the client without a quota is stored', async () => {
      return (await count(`SELECT count(*) FROM message WHERE fk_client_name = 'client-3'`)) === 300
    })
    t.ok(
      (await count(`SELECT count(*) FROM message WHERE fk_client_name = 'client-2'`)) < 300,
      'the delayed one is not all there yet'
    )
    await processor.program.until('each event has its row', async () => {
      return (
        (await count(
          'SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM rejection) AS count'
        )) === 901
      )
    })
    t.equal(
      await count(`SELECT count(*) FROM message WHERE fk_client_name = 'client-2'`),
      300,
      'no delayed event is lost'
    )
    const stored = await count(`SELECT count(*) FROM message WHERE fk_client_name = 'client-1'`)
    t.ok(stored >= 20 && stored < 300, `${stored} within the quota`)
    t.equal(
      await count(
        `SELECT count(*) FROM rejection WHERE reason = 'over-quota' AND client_name = 'client-1'`
      ),
      300 - stored
    )
    t.equal(
      await count(
        `SELECT count(*) FROM rejection WHERE reason = 'over-quota' AND client_name <> 'client-1'`
      ),
      0
    )
    t.equal(emulator.server.inspectQueue('events-dead-letters')?.messages.ready.length, 0)

    const sum = (metrics: Map<string, number>, name: string, label: string): number =>
      [...metrics]
        .filter(([key]) => key.startsWith(name) && key.includes(label))
        .reduce((total, [, value]) => total + value, 0)
    await processor.program.until(
      'the totals are there',
      async () => (await processor.metrics()).get('stored_total') === 600 + stored
    )
    const metrics = await processor.metrics()
    t.equal(sum(metrics, 'client_stored_total', 'client="client-1"'), stored)
    t.equal(sum(metrics, 'client_stored_total', 'client="client-2"'), 300)
    t.equal(sum(metrics, 'client_stored_total', 'client="client-3"'), 300)
    t.equal(
      metrics.get('client_rejected_total{client="client-1",reason="over-quota"}'),
      300 - stored
    )
    t.equal(metrics.get('client_rejected_total{client="other",reason="not-json"}'), 1)
    t.equal(metrics.get('rejected_total{reason="over-quota"}'), 300 - stored)
    t.ok((metrics.get('sent_later_total') ?? 0) > 0, 'some were sent again with a delay')
    await processor.program.until('their dwell is reported', async () => {
      return (
        sum(await processor.metrics(), 'client_queue_dwell_seconds_count', 'client="client-3"') ===
        300
      )
    })
    t.equal(await processor.program.end('SIGTERM'), 0)
  }
)
