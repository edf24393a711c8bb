import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { until } from '../testing/until.js'
import { reset } from './reset.js'

/** The two ends of a connection, and each end's events in order. */
async function setup(t: Test) {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const theirs = connect({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    allowHalfOpen: true
  })
  const [ours] = await accepted
  t.teardown(() => {
    theirs.destroy()
    ours.destroy()
    server.close()
  })
  const seen = { ours: [] as string[], theirs: [] as string[] }
  for (const [name, socket] of Object.entries({ ours, theirs }) as ['ours' | 'theirs', Socket][]) {
    socket.on('error', (error: NodeJS.ErrnoException) =>
      seen[name].push(error.code ?? error.message)
    )
    socket.on('close', () => seen[name].push('close'))
    socket.on('end', () => seen[name].push('end'))
    socket.resume()
  }
  return { ours, theirs, seen }
}

t.test('the other end sees a reset', async t => {
  const { ours, seen } = await setup(t)
  reset(ours)
  await until('both are closed', () => seen.ours.length > 0 && seen.theirs.includes('close'))
  t.same(seen, { ours: ['close'], theirs: ['ECONNRESET', 'close'] })
})

t.test('unsent data is lost with the connection', async t => {
  const { ours, theirs, seen } = await setup(t)
  theirs.pause()
  while (ours.write(Buffer.alloc(1024 * 1024)));
  reset(ours)
  theirs.resume()
  await until('both are closed', () => seen.ours.length > 0 && seen.theirs.includes('close'))
  t.same(seen, { ours: ['close'], theirs: ['ECONNRESET', 'close'] })
})

t.test('a connection that is ending, or is reset twice, is closed', async t => {
  const ending = await setup(t)
  ending.ours.end()
  reset(ending.ours)
  ending.ours.destroy()
  const twice = await setup(t)
  reset(twice.ours)
  reset(twice.ours)
  await until('both are closed', () => ending.seen.ours.length > 0 && twice.seen.ours.length > 0)
  t.same(ending.seen.ours, ['close'])
  t.same(twice.seen.ours, ['close'])
})

t.test('a connection that is still being opened is closed', async t => {
  const server = createServer(socket => socket.resume())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const socket = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  const seen: string[] = []
  socket.on('error', (error: NodeJS.ErrnoException) => seen.push(error.code ?? error.message))
  socket.on('close', () => seen.push('close'))
  reset(socket)
  await until('it is closed', () => seen.length > 0)
  t.same(seen, ['close'])
})
