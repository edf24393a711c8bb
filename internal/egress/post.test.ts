/** Recipients of every kind, each a real server on loopback, and what one POST to them ends as. */
import { once } from 'node:events'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setDefaultCACertificates } from 'node:tls'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { type Clock, systemClock } from '../lifecycle/clock.js'
import { AUTHORITY, SELF_SIGNED_CERTIFICATE, SERVER_CERTIFICATE, SERVER_KEY } from '../testing/certificates.js'
import { createManualClock } from '../testing/manual-clock.js'
import { startRawServer } from '../testing/raw-server.js'
import { type StubAnswer, startStubHttp } from '../testing/stub-http.js'
import { until } from '../testing/until.js'
import { createAddressRules, parseAllowList } from './address.js'
import { judge } from './judge.js'
import { createPoster, type Post, type PosterOptions } from './post.js'
import { LookupError } from './resolve.js'

const DEADLINE_MS = 15_000
const DAY_MS = 86_400_000

function setup(t: Test, over: Partial<PosterOptions> = {}) {
  const clock = createManualClock(Date.parse('2026-01-01T00:00:00Z'))
  const poster = createPoster({
    rules: { allowHttp: true, addresses: createAddressRules(parseAllowList('127.0.0.0/8').list) },
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    clock,
    connectTimeoutMs: 5_000,
    connectionsPerOrigin: 2,
    maxOrigins: 10,
    maxRetryAfterMs: DAY_MS,
    ...over
  })
  t.teardown(() => poster.close())
  const post = (url: string, postOver: Partial<Post> = {}) =>
    poster.post({ url, headers: [], body: '{}', deadlineMs: DEADLINE_MS, ...postOver })
  return { poster, post, clock }
}

async function setupHttp(t: Test, answer: StubAnswer, over: Partial<PosterOptions> = {}) {
  const stub = await startStubHttp(t, answer)
  const { post, ...rest } = setup(t, over)
  return { ...rest, stub, post: (path = '/', postOver: Partial<Post> = {}) => post(`${stub.origin}${path}`, postOver) }
}

t.test('the request arrives as given, and asks for nothing that would be packed', async t => {
  const { stub, post } = await setupHttp(t, reply => reply.writeHead(202).end('ok'))
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

t.test('each status and what follows from it', async t => {
  const { post } = await setupHttp(t, (reply, { path }) => {
    const [, status, wait] = path.split('/')
    reply.writeHead(Number(status), wait === undefined ? {} : { 'retry-after': decodeURIComponent(wait) }).end()
  })
  const rows = [
    ['/200', { kind: 'delivered' }],
    ['/204', { kind: 'delivered' }],
    ['/301', { kind: 'retry', notBeforeMs: 0 }],
    ['/400', { kind: 'retry', notBeforeMs: 0 }],
    ['/410', { kind: 'gone' }],
    ['/429/7', { kind: 'retry', notBeforeMs: 7_000 }],
    ['/429', { kind: 'retry', notBeforeMs: 0 }],
    [`/429/${encodeURIComponent('Thu, 01 Jan 2026 00:01:00 GMT')}`, { kind: 'retry', notBeforeMs: 60_000 }],
    ['/503/99999999', { kind: 'retry', notBeforeMs: DAY_MS }],
    ['/503/soon', { kind: 'retry', notBeforeMs: 0 }],
    ['/500/7', { kind: 'retry', notBeforeMs: 0 }],
    ['/502', { kind: 'retry', notBeforeMs: 0 }]
  ] as const
  for (const [path, expected] of rows) t.same(judge(await post(path)), expected, path)
})

t.test('a hint before the answer is not the answer', async t => {
  const { post } = await setupHttp(t, reply => {
    reply.writeEarlyHints({ link: '</style.css>; rel=preload' })
    reply.writeHead(500).end()
  })
  t.match(await post(), { kind: 'answered', status: 500 })
})

t.test('who never answers is given up at the deadline, and hung up on', async t => {
  const { stub, post, clock } = await setupHttp(t, () => undefined)
  const result = post()
  await until('the request', () => stub.requests.length === 1)
  const closed = once(stub.requests[0]!.socket, 'close')
  clock.advance(DEADLINE_MS - 1)
  t.equal(clock.pending(), 1)
  clock.advance(1)
  t.match(await result, { kind: 'failed', errorClass: 'deadline', ms: DEADLINE_MS })
  await closed
})

t.test('who answers a byte at a time is given up at the same deadline', async t => {
  const { stub, post, clock } = await setupHttp(t, (reply, { path }) => reply.writeHead(Number(path.slice(1))).write('x'))
  for (const [path, expected] of [
    ['/200', { kind: 'failed', errorClass: 'deadline' }],
    ['/410', { kind: 'answered', status: 410, responseHead: 'x' }]
  ] as const) {
    const before = stub.requests.length
    const result = post(path)
    await until('the request', () => stub.requests.length > before)
    const { socket } = stub.requests[before]!
    const closed = once(socket, 'close')
    await until('the first byte has been read', () => socket.writableLength === 0)
    for (let second = 1; second < DEADLINE_MS / 1_000; second++) {
      socket.write('1\r\nx\r\n')
      await clock.advanceAsync(1_000)
    }
    await clock.advanceAsync(1_000)
    t.match(await result, { ...expected, ms: DEADLINE_MS }, path)
    await closed
  }
})

t.test('who never ends its headers is given up at the deadline too, or when they are too long', async t => {
  const slow = await startRawServer(t, socket => socket.write('HTTP/1.1 200 OK\r\nx-a: '))
  const { post, clock } = setup(t)
  const result = post(`http://127.0.0.1:${slow.port}/`)
  await until('it is connected', () => slow.sockets.length === 1)
  await clock.advanceAsync(DEADLINE_MS)
  t.match(await result, { kind: 'failed', errorClass: 'deadline' })
  const long = await startRawServer(t, socket => socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\nx-a: ${'a'.repeat(20_000)}`)))
  t.match(await post(`http://127.0.0.1:${long.port}/`), { kind: 'failed', errorClass: 'protocol' })
})

t.test('a body without end is cut, and counts by its status', async t => {
  const chunk = Buffer.alloc(16_384, 'ä')
  let written = 0
  const { stub, post } = await setupHttp(t, reply => {
    reply.writeHead(200)
    const go = (): void => {
      while (reply.write(chunk)) written += chunk.length
    }
    reply.on('drain', go)
    go()
  })
  const result = await post()
  t.match(result, { kind: 'answered', status: 200 })
  t.equal(result.kind === 'answered' && result.responseHead, 'ä'.repeat(512))
  await until('the connection is closed', () => stub.requests[0]!.socket.destroyed)
  t.ok(written < 32 * 1_048_576, 'no more than what the sockets hold')
})

t.test('64 KiB exactly are no reason to hang up', async t => {
  const { stub, post } = await setupHttp(t, (reply, { path }) => reply.end('x'.repeat(Number(path.slice(1)))), { connectionsPerOrigin: 1 })
  t.match(await post('/65536'), { kind: 'answered', status: 200 })
  t.match(await post('/10'), { kind: 'answered', responseHead: 'x'.repeat(10) })
  t.equal(stub.connections(), 1)
  await post('/65537')
  await post('/10')
  t.equal(stub.connections(), 2, 'one byte more is')
})

t.test('a packed bomb stays packed', async t => {
  const bomb = gzipSync(Buffer.alloc(50_000_000))
  const { post } = await setupHttp(t, reply => reply.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'text/plain' }).end(bomb))
  const before = process.memoryUsage().arrayBuffers
  const result = await post()
  t.match(result, { kind: 'answered', status: 200, responseHead: /^\u{1f}/u })
  t.ok(result.kind === 'answered' && result.responseHead.length <= 1_024)
  t.ok(process.memoryUsage().arrayBuffers - before < 10_000_000)
})

t.test('what is kept of a body is text that a table can hold', async t => {
  const bodies: readonly (readonly [body: Buffer, head: string])[] = [
    [Buffer.from(''), ''],
    [Buffer.from('a\0b'), 'a\u{fffd}b'],
    [Buffer.from([0x61, 0xff, 0xc3]), 'a\u{fffd}\u{fffd}'],
    [Buffer.from(`${'x'.repeat(1_023)}水`), 'x'.repeat(1_023)],
    [Buffer.from(`${'x'.repeat(1_021)}水y`), `${'x'.repeat(1_021)}水`],
    [Buffer.from('\u{1f600}'.repeat(300)), '\u{1f600}'.repeat(256)]
  ]
  const { post } = await setupHttp(t, (reply, { path }) => reply.end(bodies[Number(path.slice(1))]?.[0]))
  for (const [index, [, head]] of bodies.entries()) {
    const result = await post(`/${index}`)
    t.equal(result.kind === 'answered' && result.responseHead, head)
    t.ok(result.kind === 'answered' && result.responseHead.isWellFormed())
  }
})

t.test('a connection that breaks: a success needs its whole answer, a failure only its status', async t => {
  const { post } = await setupHttp(t, (reply, { path, socket }) => {
    if (path === '/0') socket.resetAndDestroy()
    else reply.writeHead(Number(path.slice(1)), { 'content-length': '100', 'retry-after': '5' }).write('half', () => socket.destroy())
  })
  t.match(await post('/0'), { kind: 'failed', errorClass: 'reset' })
  t.match(await post('/200'), { kind: 'failed', errorClass: 'reset' })
  t.match(await post('/410'), { kind: 'answered', status: 410 })
  t.match(await post('/503'), { kind: 'answered', status: 503, retryAfterMs: 5_000 })
})

t.test('what is no HTTP is a failure of the protocol', async t => {
  const { post } = setup(t)
  const says = async (text: string) => {
    const { port } = await startRawServer(t, socket => socket.on('data', () => socket.end(text)))
    return post(`http://127.0.0.1:${port}/`)
  }
  t.match(await says('SSH-2.0-OpenSSH_9.6\r\n'), { kind: 'failed', errorClass: 'protocol' })
  t.match(await says('HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nhello'), {
    kind: 'failed',
    errorClass: 'protocol'
  })
  t.match(await says('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'), {
    kind: 'failed',
    errorClass: 'reset'
  })
})

t.test('nobody there, nobody by that name, and nobody who shakes hands', async t => {
  const { port, server } = await startRawServer(t, () => undefined)
  await new Promise(resolve => server.close(resolve))
  t.match(await setup(t).post(`http://127.0.0.1:${port}/`), { kind: 'failed', errorClass: 'connect-refused', detail: 'ECONNREFUSED' })

  const unknown = setup(t, { resolve: () => Promise.reject(new LookupError('ENOTFOUND')) })
  t.match(await unknown.post('http://nobody.example/'), { kind: 'failed', errorClass: 'dns', detail: 'ENOTFOUND' })
  const empty = setup(t, { resolve: async () => [] })
  t.match(await empty.post('http://nobody.example/'), { kind: 'failed', errorClass: 'dns', detail: 'ENODATA' })

  const silent = await startRawServer(t, () => undefined)
  t.match(await setup(t, { connectTimeoutMs: 50 }).post(`https://recipient.example:${silent.port}/`), {
    kind: 'failed',
    errorClass: 'connect-timeout'
  })
  const slowName = setup(t, { connectTimeoutMs: 50, resolve: () => new Promise(() => undefined) })
  t.match(await slowName.post('http://slow.example/'), { kind: 'failed', errorClass: 'connect-timeout' })
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

t.test('only a certificate of a known authority, for the right name, will do', async t => {
  const port = await startTls(t, SERVER_CERTIFICATE)
  const { post } = setup(t)
  t.match(await post(`https://localhost:${port}/`), { kind: 'failed', errorClass: 'tls', detail: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })

  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  t.match(
    await setup(t).post(`https://localhost:${port}/`),
    { kind: 'failed', errorClass: 'tls' },
    'no variable of the environment changes that'
  )
  delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']

  setDefaultCACertificates([AUTHORITY])
  const selfSigned = await startTls(t, SELF_SIGNED_CERTIFICATE)
  t.match(await post(`https://localhost:${selfSigned}/`), { kind: 'failed', errorClass: 'tls', detail: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  t.match(await setup(t).post(`https://localhost:${port}/`), { kind: 'answered', status: 200, responseHead: 'secret' })
  t.match(await setup(t).post(`https://other.example:${port}/`), {
    kind: 'failed',
    errorClass: 'tls',
    detail: 'ERR_TLS_CERT_ALTNAME_INVALID'
  })

  const plain = await startStubHttp(t, reply => reply.end())
  t.match(await post(`https://${plain.host}/`), { kind: 'failed', errorClass: 'tls' }, 'a server that speaks no TLS')
})

t.test('connections are kept for the next attempt, and no origin has more than told', async t => {
  const waiting: (() => void)[] = []
  const { stub, post } = await setupHttp(t, reply => waiting.push(() => reply.end()))
  const results = Array.from({ length: 6 }, () => post())
  for (let answered = 0; answered < 6; answered++) {
    await until('a request', () => waiting.length > answered)
    t.ok(stub.requests.length <= answered + 2)
    waiting[answered]?.()
  }
  for (const result of await Promise.all(results)) t.match(result, { kind: 'answered', status: 200 })
  t.equal(stub.connections(), 2)
})

t.test('what waits for a connection until its deadline is never sent, not even later', async t => {
  const waiting: (() => void)[] = []
  const { stub, post, clock } = await setupHttp(t, reply => waiting.push(() => reply.end()), { connectionsPerOrigin: 1 })
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

t.test('closing cuts off what is under way, and nothing is sent afterwards', async t => {
  const { stub, poster, post } = await setupHttp(t, () => undefined)
  const cut = post()
  await until('the request', () => stub.requests.length === 1)
  await Promise.all([poster.close(), poster.close()])
  t.match(await cut, { kind: 'failed', errorClass: 'stopped' })
  t.match(await post(), { kind: 'failed', errorClass: 'stopped' })
  t.equal(stub.requests.length, 1)
  const other = await startStubHttp(t, reply => reply.end())
  t.match(await poster.post({ url: other.origin, headers: [], body: '', deadlineMs: DEADLINE_MS }), {
    kind: 'failed',
    errorClass: 'stopped'
  })
  t.equal(other.requests.length, 0)
})

t.test('a header that cannot be sent is a failed attempt and no crash', async t => {
  const { stub, post } = await setupHttp(t, reply => reply.end())
  t.match(await post('/', { headers: ['x-a', 'b\r\nx-injected: 1'] }), { kind: 'failed', errorClass: 'other' })
  t.match(await post('/', { headers: ['x a', 'b'] }), { kind: 'failed', errorClass: 'other' })
  t.equal(stub.requests.length, 0)
})

t.test('after the result no timer is left', async t => {
  const { stub, post, clock } = await setupHttp(t, (reply, { path, socket }) => (path === '/ok' ? reply.end() : socket.destroy()))
  await post('/ok')
  await post('/cut')
  t.equal(clock.pending(), 0)
  t.equal(stub.requests.length, 2)
})

t.test('the time that an attempt took is real', async t => {
  const clock: Clock = systemClock
  const { post } = await setupHttp(t, reply => reply.end(), { clock })
  const result = await post()
  t.ok(result.ms > 0 && result.ms < DEADLINE_MS)
})
