import t, { type Test } from 'tap'
import {
  answerJson,
  answerTorn,
  type StubAnswer,
  type StubRequest,
  startStubHttp
} from '../../../../lab/testing/stub-http.js'
import { until } from '../../../../lab/testing/until.js'
import { createHttpPool, type HttpPoolOptions, type HttpPost } from './http-pool.js'

async function setup(t: Test, answer: StubAnswer, over: Partial<HttpPoolOptions> = {}) {
  const stub = await startStubHttp(t, answer)
  const pool = createHttpPool({
    origin: stub.origin,
    connections: 2,
    connectTimeoutMs: 3_000,
    bodyTimeoutMs: 30_000,
    requestsPerConnection: 1_000,
    ...over
  })
  t.teardown(() => pool.destroy())
  const post = (postOver: Partial<HttpPost> = {}) =>
    pool.post({
      path: '/',
      headers: ['x-name', 'value'],
      body: 'body',
      headersTimeoutMs: 30_000,
      signal: null,
      ...postOver
    })
  return { stub, pool, post }
}

const ok: StubAnswer = (reply, _, before) => answerJson(reply, 200, String(before))

await t.test('a request arrives as given, and any status is a reply', async t => {
  const { stub, post } = await setup(t, reply =>
    answerJson(reply, 418, '{"ä":1}', { 'X-Amzn-RequestId': 'r' })
  )
  const reply = await post({ path: '/a/', body: '{"text":"水"}' })
  t.match(stub.requests, [
    {
      path: '/a/',
      body: '{"text":"水"}',
      headers: { 'x-name': 'value', host: stub.host, 'content-length': '14' }
    }
  ])
  t.match(
    { status: reply.status, headers: reply.headers },
    { status: 418, headers: { 'x-amzn-requestid': 'r' } }
  )
  t.equal(reply.body.toString(), '{"ä":1}')
})

await t.test('a body in many parts is joined, and a missing one is empty', async t => {
  const text = 'ä'.repeat(200_000)
  const { post } = await setup(t, (reply, { path }) => reply.end(path === '/empty' ? '' : text))
  t.equal((await post()).body.toString(), text)
  t.equal((await post({ path: '/empty' })).body.length, 0)
})

await t.test('connections are kept, up to the limit; further requests wait', async t => {
  const waiting: (() => void)[] = []
  const { stub, post } = await setup(t, (reply, _, before) =>
    waiting.push(() => answerJson(reply, 200, String(before)))
  )
  const replies = Array.from({ length: 5 }, () => post())
  for (let answered = 0; answered < 5; answered++) {
    await until('a request', () => waiting.length > answered)
    t.ok(stub.requests.length <= answered + 2, 'at most two are under way')
    waiting[answered]?.()
    await Promise.race(replies)
  }
  t.strictSame((await Promise.all(replies)).map(reply => reply.body.toString()).sort(), [
    '0',
    '1',
    '2',
    '3',
    '4'
  ])
  t.equal(stub.connections(), 2)
})

await t.test('a connection is given up after its share of requests', async t => {
  const { stub, post } = await setup(t, ok, { requestsPerConnection: 3 })
  const seen: string[] = []
  for (let round = 0; round < 7; round++) seen.push((await post()).body.toString())
  t.strictSame(seen, ['0', '1', '2', '3', '4', '5', '6'], 'callers notice nothing')
  t.equal(stub.connections(), 3)
})

await t.test('a signal ends a request at once, whatever its state', async t => {
  const held: StubRequest[] = []
  const { stub, post } = await setup(t, (_, request) => held.push(request), { connections: 1 })
  const why = new RangeError('why')
  const aborted = { name: 'AbortError', message: 'Request aborted', cause: why }
  await t.rejects(post({ signal: AbortSignal.abort(why) }), aborted, 'one that has not begun')

  const [sent, queued] = [new AbortController(), new AbortController()]
  const sentPost = post({ signal: sent.signal })
  const queuedPost = post({ signal: queued.signal, body: 'queued' })
  await until('the first request', () => held.length === 1)
  queued.abort(why)
  await t.rejects(queuedPost, aborted, 'one that waits for a connection')
  const closed = new Promise(resolve => held[0]!.socket.once('close', resolve))
  sent.abort(why)
  await t.rejects(sentPost, aborted, 'one that waits for its reply')
  await closed

  const last = new AbortController()
  const lastPost = post({ signal: last.signal, body: 'last' })
  await until('the next request', () => held.length === 2)
  t.strictSame(
    stub.requests.map(({ body }) => body),
    ['body', 'last'],
    'what waited was not sent'
  )
  last.abort('words')
  await t.rejects(lastPost, { name: 'AbortError', message: 'words' })
})

await t.test('a request that waited in vain costs no connection', async t => {
  const waiting: (() => void)[] = []
  const { stub, post } = await setup(
    t,
    (reply, _, before) => waiting.push(() => answerJson(reply, 200, String(before))),
    {
      connections: 1
    }
  )
  const queued = new AbortController()
  const first = post()
  const second = post({ signal: queued.signal })
  const third = post()
  await until('the first request', () => waiting.length === 1)
  queued.abort()
  await t.rejects(second, { name: 'AbortError' })
  waiting[0]?.()
  await first
  await until('the third request', () => waiting.length === 2)
  waiting[1]?.()
  t.equal((await third).body.toString(), '1')
  t.equal(stub.connections(), 1)
})

await t.test('network failures have the names that Node gives them', async t => {
  const { post } = await setup(t, (reply, { path, socket }) => {
    if (path === '/torn') answerTorn(reply)
    else if (path === '/closed') socket.destroy()
    else if (path === '/stuck') reply.writeHead(200).write('{')
  })
  await t.rejects(post({ path: '/torn' }), { name: 'Error', code: 'ECONNRESET' })
  await t.rejects(post({ path: '/closed' }), { name: 'Error', code: 'ECONNRESET' })
  await t.rejects(post({ path: '/silent', headersTimeoutMs: 1 }), {
    name: 'TimeoutError',
    code: 'ETIMEDOUT'
  })

  const impatient = await setup(t, reply => reply.writeHead(200).write('{'), { bodyTimeoutMs: 1 })
  await t.rejects(
    impatient.post(),
    { name: 'TimeoutError', code: 'ETIMEDOUT' },
    'silence in the middle'
  )

  const nobody = await setup(t, ok)
  await new Promise(resolve => nobody.stub.server.close(resolve))
  await t.rejects(nobody.post(), { code: 'ECONNREFUSED' })
})

await t.test('a destroyed pool cuts off requests under way', async t => {
  const { stub, pool, post } = await setup(t, () => undefined)
  const cut = post()
  await until('the request', () => stub.requests.length === 1)
  pool.destroy()
  await t.rejects(cut)
  await t.rejects(post())
})
