import t from 'tap'
import { newSecret, parseSecret } from './secret.js'

const ofBytes = (bytes: number): string => `whsec_${Buffer.alloc(bytes, 0xab).toString('base64')}`

/** The length of its key; null if it is refused. */
function bytesOf(secret: string): number | null {
  const parsed = parseSecret(secret)
  return parsed.kind === 'key' ? parsed.key.length : null
}

t.test('a new secret is its prefix and 32 random bytes', async t => {
  const secret = newSecret()
  t.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  t.equal(bytesOf(secret), 32)
  t.not(newSecret(), secret)
})

t.test('a secret has 24 to 64 bytes, with or without prefix and padding', async t => {
  for (const bytes of [24, 64]) t.equal(bytesOf(ofBytes(bytes)), bytes)
  for (const bytes of [0, 23, 65])
    t.match(parseSecret(ofBytes(bytes)), {
      kind: 'refused',
      reason: `a secret has 24 to 64 bytes, this one has ${bytes}`
    })
  const padded = ofBytes(32)
  const key = Buffer.alloc(32, 0xab)
  for (const text of [padded, padded.slice(6), padded.replace('=', '')])
    t.same(parseSecret(text), { kind: 'key', key })
})

t.test('an invalid secret is refused without being repeated', async t => {
  for (const text of [
    '',
    'whsec_',
    'whsec_ ',
    `${ofBytes(32)} `,
    'whsec_not base64 at all, whatever it is',
    ofBytes(32).replace('q', '_'),
    `whsk_${'A'.repeat(44)}`,
    `whpk_${'A'.repeat(44)}`
  ]) {
    const parsed = parseSecret(text)
    t.equal(parsed.kind, 'refused', JSON.stringify(text))
    if (parsed.kind === 'refused' && text.length > 12)
      t.notOk(parsed.reason.includes(text.slice(6)))
  }
})
