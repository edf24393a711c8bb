import t from 'tap'
import pg from 'pg'
import { createTestDatabase } from '../testing/database.js'
const s = performance.now()
const { connectionString } = await createTestDatabase(t)
console.error('ready after', performance.now() - s)
t.test('leaks', async t => {
  const c = new pg.Client(connectionString)
  c.on('error', () => undefined)
  await c.connect()
  t.pass('x')
})
