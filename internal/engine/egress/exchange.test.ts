/**
 * Every kind of recipient, each a real server on loopback, and the result of one POST to
 * it.
 */
import { once } from 'node:events'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { createTestPoster, DAY_MS, DEADLINE_MS, startRecipient } from '../../lab/testing/poster.js'
import { startRawServer } from '../../lab/testing/raw-server.js'
import { until } from '../../lab/testing/until.js'
import { systemClock as clock } from '../lifecycle/clock.js'

t.test('each answer has its status, and the wait that it asks for', async t => {
  const { post } = await startRecipient(t, (reply, { path }) => {
    const [, status, wait] = path.split('/')
    reply
      .writeHead(
        Number(status),
        wait === undefined ? {} : { 'retry-after': decodeURIComponent(wait) }
      )
      .end()
  })
  const rows = [
    ['/200', 200, undefined],
    ['/204', 204, undefined],
    ['/301', 301, undefined],
    ['/410', 410, undefined],
    ['/429/7', 429, 7_000],
    ['/429', 429, undefined],
    [`/429/${encodeURIComponent('Thu, 01 Jan 2026 00:01:00 GMT')}`, 429, 60_000],
    ['/503/99999999', 503, DAY_MS],
    ['/503/soon', 503, undefined],
    ['/500/7', 500, 7_000],
    ['/502', 502, undefined]
  ] as const
  for (const [path, status, retryAfterMs] of rows) {
    const result = await post(path)
    t.match(result, { kind: 'answered', status }, path)
    t.equal(result.kind === 'answered' && result.retryAfterMs, retryAfterMs, path)
  }
})

t.test('a hint before the answer is not the answer', async t => {
  const { post } = await startRecipient(t, reply => {
    reply.writeEarlyHints({ link: '</style.css>; rel=preload' })
    reply.writeHead(500).end()
  })
  t.match(await post('/'), { kind: 'answered', status: 500 })
})

t.test('a recipient that never answers is cut off at the deadline', async t => {
  const { stub, post, clock } = await startRecipient(t, () => undefined)
  const result = post('/')
  await until('the request', () => stub.requests.length === 1)
  const closed = once(stub.requests[0]!.socket, 'close')
  clock.advance(DEADLINE_MS - 1)
  t.equal(clock.pending(), 1)
  clock.advance(1)
  t.match(await result, { kind: 'failed', errorClass: 'deadline', ms: DEADLINE_MS })
  await closed
})

t.test('a recipient that answers byte by byte is cut off at the same deadline', async t => {
  const { stub, post, clock } = await startRecipient(t, (reply, { path }) =>
    reply.writeHead(Number(path.slice(1))).write('x')
  )
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

t.test('headers that never end are cut off at the deadline, or when they are too long', async t => {
  const slow = await startRawServer(t, socket => socket.write('HTTP/1.1 200 OK\r\nx-a: '))
  const { post, clock } = createTestPoster(t)
  const result = post(`http://127.0.0.1:${slow.port}/`)
  await until('it is connected', () => slow.sockets.length === 1)
  await clock.advanceAsync(DEADLINE_MS)
  t.match(await result, { kind: 'failed', errorClass: 'deadline' })
  const long = await startRawServer(t, socket =>
    socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\nx-a: ${'a'.repeat(20_000)}`))
  )
  t.match(await post(`http://127.0.0.1:${long.port}/`), {
    kind: 'failed',
    errorClass: 'protocol'
  })
})

t.test('an endless body is cut off, and the answer counts by its status', async t => {
  const chunk = Buffer.alloc(16_384, 'ä')
  let written = 0
  const { stub, post } = await startRecipient(t, reply => {
    reply.writeHead(200)
    const go = (): void => {
      while (reply.write(chunk)) written += chunk.length
    }
    reply.on('drain', go)
    go()
  })
  const result = await post('/')
  t.match(result, { kind: 'answered', status: 200 })
  t.equal(result.kind === 'answered' && result.responseHead, 'ä'.repeat(512))
  await until('the connection is closed', () => stub.requests[0]!.socket.destroyed)
  t.ok(written < 32 * 1_048_576, 'no more than what the sockets hold')
})

t.test('a body of exactly 64 KiB leaves the connection open', async t => {
  const { stub, post } = await startRecipient(
    t,
    (reply, { path }) => reply.end('x'.repeat(Number(path.slice(1)))),
    {
      connectionsPerOrigin: 1
    }
  )
  t.match(await post('/65536'), { kind: 'answered', status: 200 })
  t.match(await post('/10'), { kind: 'answered', responseHead: 'x'.repeat(10) })
  t.equal(stub.connections(), 1)
  await post('/65537')
  await post('/10')
  t.equal(stub.connections(), 2, 'one byte more closes it')
})

t.test('a compression bomb stays compressed', async t => {
  const bomb = gzipSync(Buffer.alloc(50_000_000))
  const { post } = await startRecipient(t, reply =>
    reply.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'text/plain' }).end(bomb)
  )
  const before = process.memoryUsage().arrayBuffers
  const result = await post('/')
  t.match(result, { kind: 'answered', status: 200, responseHead: /^\u{1f}/u })
  t.ok(result.kind === 'answered' && result.responseHead.length <= 1_024)
  t.ok(process.memoryUsage().arrayBuffers - before < 10_000_000)
})

t.test('the part of a body that is kept is text that PostgreSQL can store', async t => {
  const bodies: readonly (readonly [body: Buffer, head: string])[] = [
    [Buffer.from(''), ''],
    [Buffer.from('a\0b'), 'a\u{fffd}b'],
    [Buffer.from([0x61, 0xff, 0xc3]), 'a\u{fffd}\u{fffd}'],
    [Buffer.from(`${'x'.repeat(1_023)}水`), 'x'.repeat(1_023)],
    [Buffer.from(`${'x'.repeat(1_021)}水y`), `${'x'.repeat(1_021)}水`],
    [Buffer.from('\u{1f600}'.repeat(300)), '\u{1f600}'.repeat(256)]
  ]
  const { post } = await startRecipient(t, (reply, { path }) =>
    reply.end(bodies[Number(path.slice(1))]?.[0])
  )
  for (const [index, [, head]] of bodies.entries()) {
    const result = await post(`/${index}`)
    t.equal(result.kind === 'answered' && result.responseHead, head)
    t.ok(result.kind === 'answered' && result.responseHead.isWellFormed())
  }
})

t.test('on a broken connection a success needs its whole answer, a failure its status', async t => {
  const { post } = await startRecipient(t, (reply, { path, socket }) => {
    if (path === '/0') socket.resetAndDestroy()
    else
      reply
        .writeHead(Number(path.slice(1)), { 'content-length': '100', 'retry-after': '5' })
        .write('half', () => socket.destroy())
  })
  t.match(await post('/0'), { kind: 'failed', errorClass: 'reset' })
  t.match(await post('/200'), { kind: 'failed', errorClass: 'reset' })
  t.match(await post('/410'), { kind: 'answered', status: 410 })
  t.match(await post('/503'), { kind: 'answered', status: 503, retryAfterMs: 5_000 })
})

t.test('an answer that is not HTTP is a protocol failure', async t => {
  const { post } = createTestPoster(t)
  const says = async (text: string) => {
    const { port } = await startRawServer(t, socket => socket.on('data', () => socket.end(text)))
    return post(`http://127.0.0.1:${port}/`)
  }
  t.match(await says('SSH-2.0-OpenSSH_9.6\r\n'), { kind: 'failed', errorClass: 'protocol' })
  t.match(
    await says('HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nhello'),
    {
      kind: 'failed',
      errorClass: 'protocol'
    }
  )
  t.match(
    await says('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    {
      kind: 'failed',
      errorClass: 'reset'
    }
  )
})

t.test('no timer is left after the result', async t => {
  const { stub, post, clock } = await startRecipient(t, (reply, { path, socket }) =>
    path === '/ok' ? reply.end() : socket.destroy()
  )
  await post('/ok')
  await post('/cut')
  t.equal(clock.pending(), 0)
  t.equal(stub.requests.length, 2)
})

t.test('the duration of an attempt is measured', async t => {
  const { post } = await startRecipient(t, reply => reply.end(), { clock })
  const result = await post('/')
  t.ok(result.ms > 0 && result.ms < DEADLINE_MS)
})
