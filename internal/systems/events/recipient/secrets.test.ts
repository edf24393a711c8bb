import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { temporaryDirectory } from '../../../lab/testing/programs.js'
import { newSecret, parseSecret } from '../delivery/secret.js'
import { createWebhookSigner } from '../delivery/signature.js'
import { createVerifier, readSecretsFile } from './secrets.js'

const nowS = (): number => Math.floor(Date.now() / 1_000)

function headers(secret: string, body: string, timestampS = nowS()) {
  const parsed = parseSecret(secret)
  if (parsed.kind !== 'key') throw new Error(parsed.reason)
  return {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(timestampS),
    'webhook-signature': createWebhookSigner([parsed.key]).sign('msg_1', timestampS, body)
  }
}

t.test('a path may have its own secrets, and each of them may sign', async t => {
  const [common, own, ownToo] = [newSecret(), newSecret(), newSecret()] as const
  const verifier = createVerifier([common], new Map([['/own', [own, ownToo]]]))
  t.equal(verifier.isChecking, true)
  t.equal(verifier.verify('/', headers(common, 'b'), 'b'), null)
  for (const secret of [own, ownToo])
    t.equal(verifier.verify('/own', headers(secret, 'b'), 'b'), null)
  t.match(verifier.verify('/own', headers(common, 'b'), 'b'), /No matching signature/)
  t.match(verifier.verify('/', headers(own, 'b'), 'b'), /No matching signature/)
})

t.test('a refusal says why the delivery is not genuine', async t => {
  const secret = newSecret()
  const verifier = createVerifier([secret], new Map())
  t.match(verifier.verify('/', headers(secret, 'b'), 'other'), /No matching signature/)
  t.match(verifier.verify('/', headers(secret, 'b', nowS() - 400), 'b'), /too old/)
  t.match(verifier.verify('/', headers(secret, 'b', nowS() + 400), 'b'), /too new/)
  t.match(
    verifier.verify('/', { ...headers(secret, 'b'), 'webhook-id': '' }, 'b'),
    /Missing required headers/
  )
})

t.test('a delivery to a path without a secret is refused', async t => {
  const secret = newSecret()
  const verifier = createVerifier([], new Map([['/own', [secret]]]))
  t.equal(verifier.isChecking, true)
  t.match(verifier.verify('/other', headers(secret, 'b'), 'b'), /no secret is known for this path/)
  t.equal(createVerifier([], new Map()).isChecking, false)
})

t.test('an error in the secrets file is named without a secret', async t => {
  const file = join(temporaryDirectory(t), 'secrets.json')
  const secrets = [newSecret(), newSecret()]
  writeFileSync(file, JSON.stringify({ '/a': secrets[0], '/b': secrets }))
  t.same(
    [...readSecretsFile(file)],
    [
      ['/a', [secrets[0]]],
      ['/b', secrets]
    ]
  )
  const rows = [
    ['{', /is not JSON/],
    ['[]', /must be an object/],
    ['{"a":"x"}', /names "a", but paths begin with \//],
    ['{"/a":7}', /for \/a: a secret must be a string/],
    ['{"/a":["whsec_hunter2"]}', /for \/a: a secret/]
  ] as const
  for (const [content, message] of rows) {
    writeFileSync(file, content)
    t.throws(() => readSecretsFile(file), { name: 'ExpectedError', message }, content)
  }
  t.throws(() => readSecretsFile(file), { message: /^(?!.*hunter2)/ })
  t.throws(() => readSecretsFile(`${file}.missing`), {
    name: 'ExpectedError',
    message: /cannot be read/
  })
})
