import { connect } from 'node:net'
import t from 'tap'
import { createTestDatabase } from '../../lab/testing/database.js'
import { startRawServer } from '../../lab/testing/raw-server.js'
import { createListener } from './listener.js'

const { connectionString } = await createTestDatabase(t, { isMigrated: false })

t.test('a listener closes without an answer from the server, and never reopens', async t => {
  const { hostname, port } = new URL(connectionString)
  let isSilent = false
  const middle = await startRawServer(t, client => {
    const server = connect(Number(port), hostname)
    server.on('error', () => undefined)
    client.on('data', chunk => isSilent || server.write(chunk))
    server.on('data', chunk => isSilent || client.write(chunk))
    client.once('close', () => server.destroy())
  })
  const through = new URL(connectionString)
  through.host = `127.0.0.1:${middle.port}`
  const listener = createListener({
    connectionString: through.href,
    applicationName: 'listener test',
    listen: 'LISTEN news',
    onNews: () => t.fail('there was no news')
  })
  const read = () =>
    listener.read(async client => (await client.query<{ one: number }>('SELECT 1 AS one')).rows)
  t.same(await read(), [{ one: 1 }])
  isSilent = true
  await listener.close()
  await t.rejects(read(), /closed/)
  t.equal(middle.sockets.length, 1)
})
