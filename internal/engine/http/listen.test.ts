import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server } from 'node:net'
import t, { type Test } from 'tap'
import { listen, listenHere } from './listen.js'

function closing(t: Test, server: Server): Server {
  t.teardown(() => new Promise(resolve => server.close(resolve)))
  return server
}

t.test('the result names the origin, with the free port that was chosen', async t => {
  const server = closing(
    t,
    createHttpServer((_, reply) => reply.end('here'))
  )
  const { port, origin } = await listenHere(server)
  t.equal(origin, `http://127.0.0.1:${port}`)
  t.equal(await (await fetch(origin)).text(), 'here')
})

t.test('an IPv6 address is written in brackets', async t => {
  const server = closing(t, createServer())
  const { port, origin } = await listen(server, { host: '::1', port: 0, remedy: '' })
  t.equal(origin, `http://[::1]:${port}`)
})

t.test('a failure to listen is one sentence with the remedy', async t => {
  const { port } = await listenHere(closing(t, createServer()))
  const host = '127.0.0.1'
  await t.rejects(listen(createServer(), { host, port, remedy: 'choose another' }), {
    name: 'ExpectedError',
    message: `127.0.0.1:${port} is taken by another program: choose another`
  })
  await t.rejects(listen(createServer(), { host: '192.0.2.1', port: 0, remedy: 'mend it' }), {
    name: 'ExpectedError',
    message: '192.0.2.1:0 is not an address of this machine: mend it'
  })
  await t.rejects(listen(createServer(), { host: 'no-such.invalid', port: 0, remedy: 'x' }), {
    name: 'ExpectedError',
    message: /^no-such.invalid:0 cannot be used \((?:ENOTFOUND|EAI_AGAIN)\): x$/
  })
})

t.test('later errors are left to the server itself', async t => {
  const server = closing(t, createServer())
  await listenHere(server)
  t.equal(server.listenerCount('error'), 0)
})
