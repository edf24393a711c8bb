import t, { type Test } from 'tap'
import { startStubHttp } from '../testing/stub-http.js'
import { until } from '../testing/until.js'
import { startRecipientProxy } from './recipient-proxy.js'

/** A recipient behind the proxy that accepts everything. */
async function setup(t: Test, random = () => 0) {
  const recipient = await startStubHttp(t, reply => reply.writeHead(202).end('fine'))
  const proxy = await startRecipientProxy(random)
  t.teardown(() => proxy.close())
  proxy.targetPort = Number(new URL(recipient.origin).port)
  const post = async (signal: AbortSignal | null = null) => {
    const answer = await fetch(`${proxy.origin}/hooks`, {
      method: 'POST',
      headers: { 'webhook-id': 'm' },
      body: '{"a":1}',
      signal
    })
    return {
      status: answer.status,
      retryAfter: answer.headers.get('retry-after'),
      text: await answer.text()
    }
  }
  return { recipient, proxy, post }
}

t.test('without trouble POSTs and answers pass unchanged', async t => {
  const { recipient, post } = await setup(t)
  t.same(await post(), { status: 202, retryAfter: null, text: 'fine' })
  t.match(recipient.requests, [{ path: '/hooks', body: '{"a":1}', headers: { 'webhook-id': 'm' } }])
})

t.test('a status is answered with its Retry-After, and nothing arrives', async t => {
  const { recipient, proxy, post } = await setup(t)
  proxy.trouble = { kind: 'status', status: 503, retryAfterS: 7 }
  t.same(await post(), { status: 503, retryAfter: '7', text: '' })
  proxy.trouble = { kind: 'status', status: 500, retryAfterS: null }
  t.same(await post(), { status: 500, retryAfter: null, text: '' })
  t.equal(recipient.requests.length, 0)
})

t.test('a hanging POST gets no answer and never arrives, not even after the trouble', async t => {
  const { recipient, proxy, post } = await setup(t)
  proxy.trouble = { kind: 'hang' }
  let isHere = false
  proxy.onPost = () => (isHere = true)
  const cut = new AbortController()
  let outcome = 'none'
  const hanging = post(cut.signal).then(
    () => (outcome = 'answered'),
    () => (outcome = 'cut off')
  )
  await until('it is here', () => isHere)
  proxy.trouble = null
  t.equal((await post()).status, 202)
  t.equal(outcome, 'none')
  t.equal(recipient.requests.length, 1)
  cut.abort()
  await hanging
})

t.test('a reset breaks the connection before anything arrives, a lost answer after it', async t => {
  const { recipient, proxy, post } = await setup(t)
  proxy.trouble = { kind: 'reset' }
  await t.rejects(post())
  t.equal(recipient.requests.length, 0)
  proxy.trouble = { kind: 'lost-answers', share: 1 }
  await t.rejects(post())
  t.equal(recipient.requests.length, 1)
  proxy.trouble = { kind: 'lost-answers', share: 0 }
  t.equal((await post()).status, 202, 'only its share is lost')
})

t.test('while the recipient is down the connection breaks', async t => {
  const { proxy, post } = await setup(t)
  const { targetPort } = proxy
  proxy.targetPort = 1
  await t.rejects(post())
  proxy.targetPort = targetPort
  t.equal((await post()).status, 202)
})

t.test('onPost is called once, for the next POST, before it is passed on', async t => {
  const { recipient, proxy, post } = await setup(t)
  const heard: number[] = []
  proxy.onPost = () => heard.push(recipient.requests.length)
  await post()
  await post()
  t.same(heard, [0])
})
