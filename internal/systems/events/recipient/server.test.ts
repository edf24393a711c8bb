import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { systemClock } from '../../../engine/lifecycle/clock.js'
import { createManualClock } from '../../../lab/testing/manual-clock.js'
import { createTestPoster } from '../../../lab/testing/poster.js'
import { until } from '../../../lab/testing/until.js'
import { newSecret, parseSecret } from '../delivery/secret.js'
import { createWebhookSigner } from '../delivery/signature.js'
import { type Answers, parseRecipientArguments } from './arguments.js'
import { createArrivals } from './arrivals.js'
import type { ReceivedDelivery, RecipientLedgerEntry } from './delivery.js'
import { createVerifier } from './secrets.js'
import { type RecipientServerOptions, startRecipientServer } from './server.js'

const BODY =
  '{"type":"user-app","timestamp":"2026-01-01T00:00:00.000Z","id":"e-1","client":"client-1","data":{"n":1}}'

function answers(...args: string[]): Answers {
  const command = parseRecipientArguments(args)
  if (command.kind !== 'receive') throw new Error('help')
  return command.answers
}

/** A recipient, and the HTTP client of our sender that posts to it. */
async function setup(t: Test, over: Partial<RecipientServerOptions> = {}) {
  const secret = newSecret()
  const deliveries: ReceivedDelivery[] = []
  const arrivals = createArrivals()
  const recipient = await startRecipientServer({
    host: '127.0.0.1',
    port: 0,
    answers: answers(),
    verifier: createVerifier([secret], new Map()),
    arrivals,
    clock: systemClock,
    random: Math.random,
    record: null,
    onDelivery: delivery => deliveries.push(delivery),
    onFailure: error => t.fail(String(error)),
    ...over
  })
  t.teardown(() => recipient.close())
  const { post } = createTestPoster(t, { connectionsPerOrigin: 4 })
  const parsed = parseSecret(secret)
  const signer = createWebhookSigner(parsed.kind === 'key' ? [parsed.key] : [])
  const deliver = (id = 'msg_1', path = '/hooks', body = BODY) => {
    const timestampS = Math.floor(Date.now() / 1_000)
    const headers = [
      'webhook-id',
      id,
      'webhook-timestamp',
      String(timestampS),
      'webhook-signature',
      signer.sign(id, timestampS, BODY)
    ]
    return post(`${recipient.origin}${path}`, { headers, body })
  }
  return { recipient, deliver, deliveries, arrivals }
}

t.test(
  'a genuine delivery is accepted, counted and shown; the same again is a duplicate',
  async t => {
    const { deliver, deliveries, arrivals } = await setup(t)
    t.match(await deliver(), { kind: 'answered', status: 200 })
    t.match(await deliver(), { kind: 'answered', status: 200 })
    t.match(await deliver('msg_1', '/other?x=1'), { kind: 'answered', status: 200 })
    t.match(deliveries, [
      {
        path: '/hooks',
        webhookId: 'msg_1',
        eventType: 'user-app',
        eventId: 'e-1',
        clientId: 'client-1',
        isValid: true,
        seen: 1
      },
      { seen: 2 },
      { path: '/other', seen: 1 }
    ])
    t.match(arrivals.totals(), { received: 3, accepted: 3, duplicates: 1, different: 2 })
  }
)

t.test('a delivery that is not genuine is refused with the reason, and not as seen', async t => {
  const { deliver, deliveries, arrivals } = await setup(t)
  t.match(await deliver('msg_1', '/', `${BODY} `), {
    kind: 'answered',
    status: 401,
    responseHead: /No matching signature/
  })
  t.match(deliveries, [{ isValid: false, why: /No matching/, seen: 0, status: 401 }])
  t.match(await deliver(), { status: 200 })
  t.match(arrivals.totals(), { received: 2, accepted: 1, invalid: 1, different: 1 })
})

t.test('without secrets no signature is checked, and each delivery says so', async t => {
  const { deliver, deliveries } = await setup(t, { verifier: createVerifier([], new Map()) })
  t.match(await deliver('msg_1', '/', 'any body'), { status: 200 })
  t.match(deliveries, [{ isValid: null, eventType: null, seen: 1 }])
})

t.test('it fails at the given rate, with the given status and Retry-After', async t => {
  const dice = [0.29, 0.3, 0.99, 0]
  const { deliver, arrivals } = await setup(t, {
    answers: answers('--fail-rate', '30', '--status', '429', '--retry-after', '7'),
    random: () => dice.shift() ?? 0
  })
  t.match(await deliver('1'), { status: 429, retryAfterMs: 7_000 })
  t.match(await deliver('1'), { status: 200 })
  t.match(await deliver('2'), { status: 200 })
  t.match(await deliver('3'), { status: 429 })
  t.match(arrivals.totals(), { received: 4, accepted: 2, failed: 2, duplicates: 0 })
})

t.test('it answers after the given latency', async t => {
  const clock = createManualClock()
  const { deliver, deliveries } = await setup(t, { answers: answers('--latency', '250'), clock })
  const answered = deliver()
  await until('it has arrived', () => clock.pending() === 1)
  clock.advance(249)
  t.equal(deliveries.length, 0)
  clock.advance(1)
  t.match(await answered, { status: 200 })
})

t.test('only accepted deliveries are in the ledger, before they are answered', async t => {
  const entries: RecipientLedgerEntry[] = []
  const writing: (() => void)[] = []
  const dice = [0.9, 0.1]
  const { deliver } = await setup(t, {
    onDelivery: null,
    answers: answers('--fail-rate', '50'),
    random: () => dice.shift() ?? 1,
    record: entry => {
      entries.push(entry)
      return new Promise(resolve => writing.push(resolve))
    }
  })
  let isAnswered = false
  const answered = deliver().finally(() => (isAnswered = true))
  await until('it is being written down', () => writing.length === 1)
  t.equal(isAnswered, false)
  writing[0]?.()
  t.match(await answered, { status: 200 })
  t.match(await deliver('msg_2'), { status: 500 }, 'failed on purpose')
  t.match(await deliver('msg_3', '/', 'x'), { status: 401 })
  t.match(entries, [
    {
      webhookId: 'msg_1',
      path: '/hooks',
      eventId: 'e-1',
      clientId: 'client-1',
      eventType: 'user-app',
      valid: true,
      receivedAt: /Z$/
    }
  ])
  t.equal(entries.length, 1)
})

t.test('a delivery that cannot be recorded is not accepted', async t => {
  const failures: unknown[] = []
  const { deliver, arrivals } = await setup(t, {
    record: () => Promise.reject(new Error('disk full')),
    onFailure: error => failures.push(error)
  })
  t.match(await deliver(), { status: 500 })
  t.match(failures, [{ message: 'disk full' }])
  t.match(arrivals.totals(), { accepted: 0 })
})

t.test('long bodies, other methods and aborted bodies are not deliveries', async t => {
  const { deliver, deliveries, recipient } = await setup(t, {
    verifier: createVerifier([], new Map())
  })
  t.match(await deliver('msg_1', '/', 'x'.repeat(2_097_152)), { status: 200 })
  t.match(await deliver('msg_2', '/', 'x'.repeat(2_097_153)), { status: 413 })
  const response = await fetch(recipient.origin)
  t.equal(response.status, 405)
  t.match(await response.text(), /with POST/)
  const { hostname, port } = new URL(recipient.origin)
  const socket = connect(Number(port), hostname)
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf', () =>
    socket.destroy()
  )
  await new Promise(resolve => socket.once('close', resolve))
  t.match(await deliver('msg_3'), { status: 200 })
  t.same(
    deliveries.map(({ webhookId }) => webhookId),
    ['msg_1', 'msg_3']
  )
})

t.test('a taken port is an expected error in one sentence', async t => {
  const { recipient } = await setup(t)
  const port = Number(new URL(recipient.origin).port)
  await t.rejects(setup(t, { port }), {
    name: 'ExpectedError',
    message: /is taken by another program: choose another with --port/
  })
})
