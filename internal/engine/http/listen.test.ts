import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server } from 'node:net'
import t, { type Test } from 'tap'
import { listen, listenHere } from './listen.js'

function closing(t: Test, server: Server): Server {
  t.teardown(() => new Promise(resolve => server.close(resolve)))
  return server
}

t.test('where it listens is said, with the port that was free', async t => {
  const server = closing(
    t,
    createHttpServer((_, reply) => reply.end('here'))
  )
  const { port, origin } = await listenHere(server)
  t.equal(origin, `http://127.0.0.1:${port}`)
  t.equal(await (await fetch(origin)).text(), 'here')
})

t.test('an address of IPv6 stands in brackets', async t => {
  const server = closing(t, createServer())
  const { port, origin } = await listen(server, { host: '::1', port: 0, remedy: '' })
  t.equal(origin, `http://[::1]:${port}`)
})

t.test('what cannot be bound is one sentence with the remedy', async t => {
  const { port } = await listenHere(closing(t, createServer()))
  const host = '127.0.0.1'
  await t.rejects(listen(createServer(), { host, port, remedy: 'choose another' }), {
    name: 'ExpectedError',
    message: `127.0.0.1:${port} is taken by another program: choose another`
  })
  await t.rejects(listen(createServer(), { host: '192.0.2.1', port: 0, remedy: 'mend it' }), {
    name: 'ExpectedError',
    message: '192.0.2.1:0 is no address of this machine: mend it'
  })
  await t.rejects(listen(createServer(), { host: 'no-such.invalid', port: 0, remedy: 'x' }), {
    name: 'ExpectedError',
    message: /^no-such.invalid:0 cannot be listened on \((?:ENOTFOUND|EAI_AGAIN)\): x$/
  })
})

t.test('an error of later is the server’s own', async t => {
  const server = closing(t, createServer())
  await listenHere(server)
  t.equal(server.listenerCount('error'), 0)
})
