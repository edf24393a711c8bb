import { createHmac, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import t from 'tap'
import { newSecret, parseSecret } from './secret.js'
import { createWebhookSigner } from './signature.js'

const GOLDEN = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestampS: 1_614_265_330,
  body: '{"test": 2432232314}',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
}

function keyOf(secret: string): Buffer {
  const parsed = parseSecret(secret)
  if (parsed.kind !== 'key') throw new Error(parsed.reason)
  return parsed.key
}

const nowS = (): number => Math.floor(Date.now() / 1_000)

/** Headers as our sender makes them. */
function signed(
  secrets: readonly string[],
  body: string,
  over: Readonly<Record<string, string>> = {},
  timestampS = nowS()
): Record<string, string> {
  const id = 'msg_1'
  const signature = createWebhookSigner(secrets.map(keyOf)).sign(id, timestampS, body)
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': signature,
    ...over
  }
}

const verifies = (secret: string, body: string, headers: Record<string, string>): true => {
  new Webhook(secret).verify(body, headers, { jsonParse: false })
  return true
}

t.test('the published test vector is met, with and without the secret’s prefix', async t => {
  for (const secret of [GOLDEN.secret, GOLDEN.secret.slice('whsec_'.length)])
    t.equal(
      createWebhookSigner([keyOf(secret)]).sign(GOLDEN.id, GOLDEN.timestampS, GOLDEN.body),
      GOLDEN.signature
    )
})

t.test('the HMAC equals the platform’s, for keys of any length and any text', async () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 130 }),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.integer({ min: 1 }),
      (key, body, timestampS) => {
        const expected = createHmac('sha256', key)
          .update(`id.${timestampS}.${body}`)
          .digest('base64')
        return createWebhookSigner([key]).sign('id', timestampS, body) === `v1,${expected}`
      }
    )
  )
})

t.test('the library that recipients use accepts what we sign', async t => {
  for (const body of ['{"a":1}', '', '{"text":"水 é \u{1f600}"}', 'x'.repeat(100_000)]) {
    const secret = newSecret()
    t.ok(verifies(secret, body, signed([secret], body)), body.slice(0, 20))
  }
})

t.test('the library that recipients use makes the same signature', async t => {
  const secret = newSecret()
  const body = '{"type":"user-app"}'
  t.equal(
    createWebhookSigner([keyOf(secret)]).sign('msg_1', 1_700_000_000, body),
    new Webhook(secret).sign('msg_1', new Date(1_700_000_000_000), body)
  )
})

t.test('during a rotation each secret has its signature, and either verifies', async t => {
  const [next, old] = [newSecret(), newSecret()] as const
  const headers = signed([next, old], 'body')
  t.equal(headers['webhook-signature']?.split(' ').length, 2)
  t.ok(verifies(next, 'body', headers))
  t.ok(verifies(old, 'body', headers))
  t.throws(() => verifies(newSecret(), 'body', headers), WebhookVerificationError)
})

t.test('a signer may be reused: no attempt affects the next', async t => {
  const signer = createWebhookSigner([keyOf(GOLDEN.secret), randomBytes(80)])
  const first = signer.sign('id', 1, 'a longer body than the next one')
  signer.sign('id', 2, 'b')
  t.equal(signer.sign('id', 1, 'a longer body than the next one'), first)
  t.equal(signer.sign(GOLDEN.id, GOLDEN.timestampS, GOLDEN.body).split(' ')[0], GOLDEN.signature)
})

t.test('a changed delivery does not verify', async t => {
  const secret = newSecret()
  const body = '{"a":1}'
  const good = signed([secret], body)
  const signature = good['webhook-signature']!
  const rows: readonly (readonly [why: string, body: string, headers: Record<string, string>])[] = [
    ['another body', '{"a":2}', good],
    ['no body', '', good],
    ['another id', body, { ...good, 'webhook-id': 'msg_2' }],
    ['another time', body, { ...good, 'webhook-timestamp': String(nowS() - 1) }],
    ['no id', body, { ...good, 'webhook-id': '' }],
    ['no time', body, { ...good, 'webhook-timestamp': '' }],
    ['no signature', body, { ...good, 'webhook-signature': '' }],
    ['part of a signature', body, { ...good, 'webhook-signature': signature.slice(0, 8) }],
    [
      'a wrong signature',
      body,
      { ...good, 'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}` }
    ],
    ['no version', body, { ...good, 'webhook-signature': signature.slice(3) }],
    ['another version', body, { ...good, 'webhook-signature': signature.replace('v1', 'v2') }],
    ['too old', body, signed([secret], body, {}, nowS() - 301)],
    ['too new', body, signed([secret], body, {}, nowS() + 310)]
  ]
  for (const [why, text, headers] of rows)
    t.throws(() => verifies(secret, text, headers), WebhookVerificationError, why)
  t.ok(
    verifies(secret, body, { ...good, 'webhook-signature': `v1,wrong v2,other ${signature}` }),
    'one good signature among others is enough'
  )
  t.ok(verifies(secret, body, signed([secret], body, {}, nowS() - 290)), 'almost too old')
})

t.test('an ambiguous id or time is not signed', async t => {
  const signer = createWebhookSigner([Buffer.alloc(32)])
  for (const id of ['', 'a.b', 'a b', 'ä', 'a\n', 'x'.repeat(256)])
    t.throws(() => signer.sign(id, 1, ''), RangeError, JSON.stringify(id))
  for (const timestampS of [0, -1, 1.5, Number.NaN, Infinity])
    t.throws(() => signer.sign('id', timestampS, ''), RangeError, String(timestampS))
  t.throws(() => createWebhookSigner([]), RangeError)
})
