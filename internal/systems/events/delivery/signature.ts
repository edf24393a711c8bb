/**
 * Signs deliveries by the Standard Webhooks specification, symmetric scheme `v1`.
 *
 * Shapes  the keys of an endpoint in (several during a rotation), and per attempt the
 *         value of `webhook-signature` out. The recipient hashes `id.timestamp.body` and
 *         accepts any one signature that fits. The body is signed exactly as it is sent.
 * Units   whole seconds since 1970, of this attempt.
 * Errors  RangeError for an id or time that cannot be signed, or no key: a bug of the
 *         caller.
 * Source  standardwebhooks.com, specification 1.0.0; RFC 2104 for the HMAC. It is made of
 *         two one-call hashes, because `createHmac` alone takes about as long as the rest
 *         of signing.
 */
import { hash } from 'node:crypto'

export interface WebhookSigner {
  /** The value of `webhook-signature`: one signature per key, in key order. */
  sign(id: string, timestampS: number, body: string): string
}

const BLOCK_BYTES = 64
const DIGEST_BYTES = 32
/**
 * Visible ASCII without the full stop that separates id, time and body, so that an id
 * cannot fake a time.
 */
const ID = /^[\x21-\x2d\x2f-\x7e]{1,255}$/

export function createWebhookSigner(keys: readonly Uint8Array[]): WebhookSigner {
  if (keys.length === 0) throw new RangeError('a signer needs a key')
  const pads = keys.map(padsOf)
  return {
    sign(id, timestampS, body) {
      if (!ID.test(id))
        throw new RangeError('a webhook-id has 1 to 255 visible ASCII characters and no full stop')
      if (!Number.isSafeInteger(timestampS) || timestampS < 1)
        throw new RangeError(`a webhook-timestamp is in whole seconds, not ${timestampS}`)
      const prefix = `${id}.${timestampS}.`
      const text = Buffer.allocUnsafe(BLOCK_BYTES + prefix.length + Buffer.byteLength(body))
      text.write(prefix, BLOCK_BYTES, 'latin1')
      text.write(body, BLOCK_BYTES + prefix.length, 'utf8')
      return pads.map(({ inner, outer }) => `v1,${hmac(inner, outer, text)}`).join(' ')
    }
  }
}

interface Pads {
  readonly inner: Buffer
  /** Leaves room for the inner digest after the pad. */
  readonly outer: Buffer
}

function padsOf(key: Uint8Array): Pads {
  const block = Buffer.alloc(BLOCK_BYTES)
  block.set(key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key)
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES)
  outer.set(block.map(byte => byte ^ 0x5c))
  return { inner: block.map(byte => byte ^ 0x36) as Buffer, outer }
}

/** `text` begins with one free block. */
function hmac(inner: Buffer, outer: Buffer, text: Buffer): string {
  text.set(inner)
  outer.write(hash('sha256', text, 'hex'), BLOCK_BYTES, 'hex')
  return hash('sha256', outer, 'base64')
}
