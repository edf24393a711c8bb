import { readFileSync } from 'node:fs'
import t from 'tap'
import { until } from '../lab/testing/until.js'
import { createWholeSender } from '../lab/testing/whole-sender.js'

const page = readFileSync(new URL('upgrade.md', import.meta.url), 'utf8')
const [, statements = ''] = /```sql\n([^`]+)```/.exec(page) ?? []
const whole = await createWholeSender(t)
const { pool, deliveries } = whole

t.test('a dump restored on another server: the sender reads on where it was', async t => {
  const client = await whole.addClient()
  await client.addEndpoint('https://recipient.example/events')
  const made = async (): Promise<readonly string[]> => {
    const { rows } = await pool.query<{ message: string }>(
      'SELECT message_id AS message FROM delivery ORDER BY id'
    )
    return rows.map(({ message }) => message)
  }
  const untilMade = (what: string, ids: readonly string[]): Promise<void> =>
    until(what, async () => {
      await deliveries.fanOut(100)
      return JSON.stringify(await made()) === JSON.stringify(ids)
    })
  await client.store('before-1')
  await untilMade('what is stored is read', ['before-1'])
  await client.store('before-2')
  // The old server had counted far beyond this one.
  await pool.query("UPDATE message SET tx = '900000000000' WHERE message_id = 'before-1'")
  await pool.query("UPDATE message SET tx = '900000000001' WHERE message_id = 'before-2'")
  await pool.query("UPDATE sender_cursor SET tx = '900000000000', message_id = 'before-1'")
  await client.store('after')
  await deliveries.fanOut(100)
  t.same(await made(), ['before-1'], 'without the reset nothing new is read')

  await pool.query("DELETE FROM message WHERE message_id = 'after'")
  await pool.query(statements)
  await client.store('after')
  await untilMade('it reads on', ['before-1', 'before-2', 'after'])
})
