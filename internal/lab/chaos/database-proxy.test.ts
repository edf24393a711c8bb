import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { serverMessage } from '../testing/server-message.js'
import { until } from '../testing/until.js'
import { startDatabaseProxy } from './database-proxy.js'

/**
 * A server behind the proxy that answers each byte with the messages of a commit. `heard`
 * returns what has arrived there.
 */
async function setup(t: Test) {
  const answer = [
    serverMessage('C', 'INSERT 0 1\0'),
    serverMessage('C', 'COMMIT\0'),
    serverMessage('Z', 'I')
  ]
  const ends: Socket[] = []
  let heard = ''
  const server = createServer({ allowHalfOpen: true }, socket => {
    ends.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', chunk => {
      heard += String(chunk)
      for (let byte = 0; byte < chunk.length; byte++)
        for (const message of answer) socket.write(message)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = await startDatabaseProxy(() => 0.5)
  proxy.target = (server.address() as AddressInfo).port
  t.teardown(async () => {
    await proxy.close()
    for (const socket of ends) socket.destroy()
    server.close()
  })
  const open = () => {
    const socket = connect({ host: '127.0.0.1', port: proxy.port, allowHalfOpen: true })
    const client = { socket, got: '', error: '', hasEnded: false }
    socket.on('data', chunk => (client.got += String(chunk)))
    socket.on(
      'error',
      (error: NodeJS.ErrnoException) => (client.error = error.code ?? error.message)
    )
    socket.on('end', () => (client.hasEnded = true))
    t.teardown(() => socket.destroy())
    return client
  }
  return { proxy, open, ends, heard: () => heard, whole: Buffer.concat(answer).toString() }
}

t.test('without a fault everything passes, in both directions', async t => {
  const { open, whole, heard } = await setup(t)
  const client = open()
  client.socket.write('x')
  await until('the answer is there', () => client.got === whole)
  t.equal(heard(), 'x')
})

t.test('with latency everything still arrives, complete and in order', async t => {
  const { proxy, open, whole } = await setup(t)
  proxy.latencyMs = 20
  const client = open()
  for (let n = 0; n < 10; n++) client.socket.write('x')
  await until('all answers are there', () => client.got === whole.repeat(10))
})

t.test('connections are reset while there is no server', async t => {
  const { proxy, open } = await setup(t)
  proxy.target = null
  const client = open()
  await until('it is refused', () => client.error !== '')
  t.equal(client.error, 'ECONNRESET')
})

t.test('a reset reaches both sides, and later connections pass', async t => {
  const { proxy, open, ends, whole } = await setup(t)
  const client = open()
  client.socket.write('x')
  await until('it is connected', () => client.got === whole)
  proxy.resetAll()
  await until(
    'both ends see the reset',
    () => client.error === 'ECONNRESET' && ends[0]?.destroyed === true
  )
  const next = open()
  next.socket.write('y')
  await until('the next one passes', () => next.got === whole)
})

t.test(
  'a black hole swallows everything silently; afterwards only new connections work',
  async t => {
    const { proxy, open, ends, heard, whole } = await setup(t)
    const client = open()
    client.socket.write('a')
    await until('it is connected', () => client.got === whole)
    proxy.loseAll()
    const born = open()
    client.socket.write('b')
    born.socket.write('c')
    await until(
      'the bytes were sent, and the black hole accepted the new connection',
      () => client.socket.bytesWritten === 2 && ends.length === 2
    )
    proxy.heal()
    client.socket.write('d')
    const next = open()
    next.socket.write('e')
    await until('a new connection works', () => next.got === whole)
    t.equal(
      heard(),
      'ae',
      'bytes sent during the black hole are lost, and so is a connection opened in it'
    )
    t.equal(client.got, whole)
    t.same([client.error, client.hasEnded, born.error, born.hasEnded], ['', false, '', false])
  }
)

t.test('a half-closed connection ends for the client but still carries what it sends', async t => {
  const { proxy, open, heard, whole } = await setup(t)
  const client = open()
  client.socket.write('a')
  await until('it is connected', () => client.got === whole)
  proxy.halfCloseAll()
  await until('the client hears the end', () => client.hasEnded)
  client.socket.write('b')
  await until('the server hears the client', () => heard() === 'ab')
  t.equal(client.got, whole, 'nothing more comes back')
  t.equal(client.error, '')
})

t.test('only the requested number of COMMIT answers is cut off; the COMMITs arrive', async t => {
  const { proxy, open, heard, whole } = await setup(t)
  proxy.cut = { at: 'commit', times: 1 }
  const client = open()
  client.socket.write('x')
  await until('it is cut', () => client.socket.destroyed)
  t.equal(heard(), 'x')
  t.notMatch(client.got, /COMMIT/)
  t.same(proxy.cuts, { message: 0, commit: 1 })
  const next = open()
  next.socket.write('y')
  await until('the next one passes', () => next.got === whole)
})

t.test('the next COMMIT is reported once, before its answer is passed on', async t => {
  const { proxy, open, whole } = await setup(t)
  const client = open()
  const heard: string[] = []
  proxy.onCommit = () => heard.push(client.got)
  client.socket.write('x')
  await until('the answer is there', () => client.got === whole)
  client.socket.write('x')
  await until('the next answer is there', () => client.got === whole.repeat(2))
  t.equal(heard.length, 1)
  t.notMatch(heard[0], /COMMIT/)
})

t.test('a connection is cut at the N-th message after the request', async t => {
  const { proxy, open, whole } = await setup(t)
  const client = open()
  client.socket.write('x')
  await until('three messages have passed', () => client.got === whole)
  proxy.cut = { at: 'message', number: 4 }
  client.socket.write('x')
  await until('three more have passed', () => client.got === whole.repeat(2))
  client.socket.write('x')
  await until('it is cut at the fourth', () => client.socket.destroyed)
  t.equal(client.got, whole.repeat(2))
  t.same(proxy.cuts, { message: 1, commit: 0 })
})
