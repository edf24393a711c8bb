import t from 'tap'
import { createTestDatabase } from '../testing/database.js'
import { createRetention } from './retention.js'

const { pool } = await createTestDatabase(t)
const store = (id: string) =>
  pool.query(
    `INSERT INTO message (message_id, message, fk_event_type_name, fk_client_name) VALUES ($1, '"x"', 'user-app', 'client-1')`,
    [id]
  )

t.test('rows are deleted 45 seconds after they were committed, later ones stay', async t => {
  let nowMs = 0
  const client = await pool.connect()
  t.teardown(() => client.release())
  const retain = createRetention(client, () => nowMs)
  await store('first')
  t.equal(await retain(), 0)
  await store('second')
  nowMs = 44_999
  t.equal(await retain(), 0)
  nowMs = 45_000
  t.equal(await retain(), 1)
  const left = async () =>
    (await pool.query<{ message_id: string }>('SELECT message_id FROM message')).rows.map(
      row => row.message_id
    )
  t.same(await left(), ['second'])
  nowMs = 89_999
  t.equal(await retain(), 1)
  t.same(await left(), [])
})
