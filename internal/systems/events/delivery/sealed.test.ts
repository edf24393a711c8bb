import { randomBytes } from 'node:crypto'
import t from 'tap'
import { parseKeyRing, SealError, type SealPlace } from './sealed.js'
import { newSecret } from './secret.js'

const key = (): string => randomBytes(32).toString('base64')
const place: SealPlace = { clientId: 'client-1', endpointId: 'ep_1', field: 'secret' }

t.test('a sealed value opens in its place, and its bytes reveal nothing', async t => {
  const ring = parseKeyRing(`k1:${key()}`)
  for (const text of [newSecret(), '', 'Bearer 水'.repeat(100)]) {
    const sealed = ring.seal(text, place)
    t.equal(sealed.keyId, 'k1')
    t.equal(sealed.box.length, 12 + Buffer.byteLength(text) + 16)
    if (text !== '') t.notOk(sealed.box.includes(text.slice(0, 6)))
    t.equal(ring.open(sealed, place), text)
  }
})

t.test('no two boxes are the same', async t => {
  const ring = parseKeyRing(`k1:${key()}`)
  const boxes = Array.from({ length: 100 }, () => ring.seal('the same', place).box.toString('hex'))
  t.equal(new Set(boxes.map(box => box.slice(0, 24))).size, 100, 'each has a nonce of its own')
})

t.test('a value moved to another client, endpoint or field does not open', async t => {
  const ring = parseKeyRing(`k1:${key()}`)
  const sealed = ring.seal('whsec_planted', place)
  const elsewhere: SealPlace[] = [
    { ...place, clientId: 'client-2' },
    { ...place, endpointId: 'ep_2' },
    { ...place, field: 'header authorization' },
    // The same characters joined, but split at another place.
    { clientId: 'client-1ep', endpointId: '_1', field: 'secret' }
  ]
  for (const other of elsewhere)
    t.throws(
      () => ring.open(sealed, other),
      { name: 'SealError', code: 'not-genuine' },
      JSON.stringify(other)
    )
})

t.test('every changed or missing byte is detected', async t => {
  const ring = parseKeyRing(`k1:${key()}`)
  const sealed = ring.seal('whsec_planted', place)
  for (let at = 0; at < sealed.box.length; at++) {
    const box = Buffer.from(sealed.box)
    box[at] = box[at]! ^ 1
    t.throws(() => ring.open({ keyId: 'k1', box }, place), { code: 'not-genuine' }, `byte ${at}`)
    t.throws(
      () => ring.open({ keyId: 'k1', box: sealed.box.subarray(0, at) }, place),
      { code: 'not-genuine' },
      `only ${at} bytes`
    )
  }
})

t.test('the first key seals and all open, so keys can be replaced one by one', async t => {
  const [first, second] = [key(), key()] as const
  const before = parseKeyRing(`old:${first}`)
  const sealed = before.seal('secret', place)
  const ring = parseKeyRing(`new:${second}, old:${first}`)
  t.equal(ring.currentKeyId, 'new')
  t.equal(ring.seal('secret', place).keyId, 'new')
  t.equal(ring.open(sealed, place), 'secret')
  t.throws(() => parseKeyRing(`new:${second}`).open(sealed, place), {
    code: 'unknown-key',
    message: /key old, .* add that key after the others/
  })
  t.throws(() => parseKeyRing(`old:${second}`).open(sealed, place), {
    code: 'not-genuine',
    message: /put the key back, or set the value again/
  })
})

t.test('an invalid ring says how to write one; no message holds a key or a secret', async t => {
  const planted = key()
  const rings = [
    '',
    'k1',
    planted,
    `k1:${planted.slice(1)}`,
    `:${planted}`,
    `k 1:${planted}`,
    `k1:${planted}:x`,
    `k1:${planted},`,
    `k1:${planted},k1:${planted}`,
    `k1:${randomBytes(16).toString('base64')}`
  ]
  for (const text of rings)
    t.throws(
      () => parseKeyRing(text),
      { name: 'SealError', code: 'wrong-keys' },
      JSON.stringify(text)
    )
  const ring = parseKeyRing(`k1:${planted}`)
  const attempts = [
    () => ring.open(ring.seal('whsec_planted', place), { ...place, clientId: 'other' }),
    () => ring.open({ ...ring.seal('whsec_planted', place), keyId: 'k2' }, place),
    ...rings.map(text => () => parseKeyRing(text))
  ]
  for (const attempt of attempts) {
    try {
      attempt()
      t.fail('it opened')
    } catch (error) {
      const { stack = '', message } = error as SealError
      t.ok(error instanceof SealError)
      for (const secret of [planted.slice(1, -1), 'whsec_planted'])
        t.notOk(`${stack}${message}`.includes(secret))
    }
  }
})
