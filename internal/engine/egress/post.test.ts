/**
 * What a POST needs to reach its recipient: names, handshakes, certificates, connections.
 */
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setDefaultCACertificates } from 'node:tls'
import t, { type Test } from 'tap'
import {
  AUTHORITY,
  SELF_SIGNED_CERTIFICATE,
  SERVER_CERTIFICATE,
  SERVER_KEY
} from '../../lab/testing/certificates.js'
import { createTestPoster, DEADLINE_MS, startRecipient } from '../../lab/testing/poster.js'
import { startRawServer } from '../../lab/testing/raw-server.js'
import { startStubHttp } from '../../lab/testing/stub-http.js'
import { until } from '../../lab/testing/until.js'
import { LookupError } from './resolve.js'

t.test('the request arrives as given, and does not accept compressed answers', async t => {
  const { stub, post } = await startRecipient(t, reply => reply.writeHead(202).end('ok'))
  const body = '{"data":{"text":"水 \\u0000","n":1.0}}'
  const result = await post('/hooks?a=b', { headers: ['webhook-id', 'msg_1', 'x-own', 'v'], body })
  t.match(result, { kind: 'answered', status: 202, responseHead: 'ok', ms: 0 })
  t.notOk('retryAfterMs' in result)
  const [request] = stub.requests
  t.equal(request?.body, body)
  t.equal(request?.path, '/hooks?a=b')
  t.same(request?.headers, {
    host: stub.host,
    connection: 'keep-alive',
    'content-type': 'application/json',
    'user-agent': 'event-process-app',
    'webhook-id': 'msg_1',
    'x-own': 'v',
    'content-length': String(Buffer.byteLength(body))
  })
})

t.test('a refused connection, an unknown name and a silent server are failures', async t => {
  const { port, server } = await startRawServer(t, () => undefined)
  await new Promise(resolve => server.close(resolve))
  t.match(await createTestPoster(t).post(`http://127.0.0.1:${port}/`), {
    kind: 'failed',
    errorClass: 'connect-refused',
    detail: 'ECONNREFUSED'
  })

  const unknown = createTestPoster(t, {
    resolve: () => Promise.reject(new LookupError('ENOTFOUND'))
  })
  t.match(await unknown.post('http://nobody.example/'), {
    kind: 'failed',
    errorClass: 'dns',
    detail: 'ENOTFOUND'
  })
  const empty = createTestPoster(t, { resolve: async () => [] })
  t.match(await empty.post('http://nobody.example/'), {
    kind: 'failed',
    errorClass: 'dns',
    detail: 'ENODATA'
  })

  const silent = await startRawServer(t, () => undefined)
  t.match(
    await createTestPoster(t, { connectTimeoutMs: 50 }).post(
      `https://recipient.example:${silent.port}/`
    ),
    {
      kind: 'failed',
      errorClass: 'connect-timeout'
    }
  )
  const slowName = createTestPoster(t, {
    connectTimeoutMs: 50,
    resolve: () => new Promise(() => undefined)
  })
  t.match(await slowName.post('http://slow.example/'), {
    kind: 'failed',
    errorClass: 'connect-timeout'
  })
})

async function startTls(t: Test, cert: string): Promise<number> {
  const server = createTlsServer({ key: SERVER_KEY, cert }, (_, reply) => reply.end('secret'))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

t.test('only a certificate of a known authority for the right name is accepted', async t => {
  const port = await startTls(t, SERVER_CERTIFICATE)
  const { post } = createTestPoster(t)
  t.match(await post(`https://localhost:${port}/`), {
    kind: 'failed',
    errorClass: 'tls',
    detail: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
  })

  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  t.match(
    await createTestPoster(t).post(`https://localhost:${port}/`),
    { kind: 'failed', errorClass: 'tls' },
    'no environment variable changes that'
  )
  delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']

  setDefaultCACertificates([AUTHORITY])
  const selfSigned = await startTls(t, SELF_SIGNED_CERTIFICATE)
  t.match(await post(`https://localhost:${selfSigned}/`), {
    kind: 'failed',
    errorClass: 'tls',
    detail: 'DEPTH_ZERO_SELF_SIGNED_CERT'
  })
  t.match(await createTestPoster(t).post(`https://localhost:${port}/`), {
    kind: 'answered',
    status: 200,
    responseHead: 'secret'
  })
  t.match(await createTestPoster(t).post(`https://other.example:${port}/`), {
    kind: 'failed',
    errorClass: 'tls',
    detail: 'ERR_TLS_CERT_ALTNAME_INVALID'
  })

  const plain = await startStubHttp(t, reply => reply.end())
  t.match(
    await post(`https://${plain.host}/`),
    { kind: 'failed', errorClass: 'tls' },
    'a server without TLS'
  )
})

t.test('connections are kept for the next attempt, up to the limit per origin', async t => {
  const waiting: (() => void)[] = []
  const { stub, post } = await startRecipient(t, reply => waiting.push(() => reply.end()))
  const results = Array.from({ length: 6 }, () => post('/'))
  for (let answered = 0; answered < 6; answered++) {
    await until('a request', () => waiting.length > answered)
    t.ok(stub.requests.length <= answered + 2)
    waiting[answered]?.()
  }
  for (const result of await Promise.all(results))
    t.match(result, { kind: 'answered', status: 200 })
  t.equal(stub.connections(), 2)
})

t.test('a request still waiting for a connection at its deadline is never sent', async t => {
  const waiting: (() => void)[] = []
  const { stub, post, clock } = await startRecipient(t, reply => waiting.push(() => reply.end()), {
    connectionsPerOrigin: 1
  })
  const patient = { deadlineMs: 10 * DEADLINE_MS }
  const first = post('/first', patient)
  await until('the first request', () => waiting.length === 1)
  const late = post('/late')
  const last = post('/last', patient)
  clock.advance(DEADLINE_MS)
  t.match(await late, { kind: 'failed', errorClass: 'deadline' })
  waiting[0]?.()
  await first
  await until('the last request', () => waiting.length === 2)
  waiting[1]?.()
  await last
  t.same(
    stub.requests.map(({ path }) => path),
    ['/first', '/last']
  )
  t.equal(stub.connections(), 1, 'and it costs no connection')
})

t.test('closing cuts off requests under way, and nothing is sent afterwards', async t => {
  const { stub, poster, post } = await startRecipient(t, () => undefined)
  const cut = post('/')
  await until('the request', () => stub.requests.length === 1)
  await Promise.all([poster.close(), poster.close()])
  t.match(await cut, { kind: 'failed', errorClass: 'stopped' })
  t.match(await post('/'), { kind: 'failed', errorClass: 'stopped' })
  t.equal(stub.requests.length, 1)
  const other = await startStubHttp(t, reply => reply.end())
  t.match(
    await poster.post({ url: other.origin, headers: [], body: '', deadlineMs: DEADLINE_MS }),
    {
      kind: 'failed',
      errorClass: 'stopped'
    }
  )
  t.equal(other.requests.length, 0)
})

t.test('a header that cannot be sent is a failed attempt, not a crash', async t => {
  const { stub, post } = await startRecipient(t, reply => reply.end())
  t.match(await post('/', { headers: ['x-a', 'b\r\nx-injected: 1'] }), {
    kind: 'failed',
    errorClass: 'other'
  })
  t.match(await post('/', { headers: ['x a', 'b'] }), { kind: 'failed', errorClass: 'other' })
  t.equal(stub.requests.length, 0)
})
