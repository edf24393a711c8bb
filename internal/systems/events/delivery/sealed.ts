/**
 * Encrypts endpoints' secrets for the database and binds each to its row.
 *
 * Shapes  text and its place in, key id and bytes out, and back. The place (client,
 *         endpoint, field) is authenticated too, so a value that is moved to another row
 *         or column does not open. The first key of the ring seals; all of them open.
 * Units   bytes: 12 of nonce, the encrypted text, 16 of tag.
 * Errors  SealError, whose code says what to do; no message holds a key or a sealed
 *         value.
 * Source  AES-256-GCM with random 96-bit nonces, NIST SP 800-38D: good for 2^32 seals per
 *         key.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { ExpectedError } from '../../../engine/lifecycle/service.js'

export interface SealPlace {
  readonly clientId: string
  readonly endpointId: string
  /** The endpoint's field, e.g. `secret` or `header authorization`. */
  readonly field: string
}

export interface Sealed {
  readonly keyId: string
  readonly box: Buffer
}

export interface KeyRing {
  /** The key that seals. Values that another key has sealed may be resealed with it. */
  readonly currentKeyId: string
  seal(text: string, place: SealPlace): Sealed
  open(sealed: Sealed, place: SealPlace): string
}

export type SealErrorCode = 'wrong-keys' | 'unknown-key' | 'not-genuine'

export class SealError extends ExpectedError {
  override readonly name = 'SealError'
  readonly code: SealErrorCode

  constructor(code: SealErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const SETTING = 'SENDER_SECRET_KEYS'
const REMEDY =
  'write id:key, with the key as `openssl rand -base64 32` prints it, ' +
  'then older keys, separated by commas'

/** Keys as the setting holds them, `id:base64,id2:base64`. */
export function parseKeyRing(text: string): KeyRing {
  const keys = new Map<string, Buffer>()
  for (const entry of text.split(',').map(part => part.trim())) {
    const [, id, base64 = ''] = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)$/.exec(entry) ?? []
    // Quotes neither the entry nor its position: a key without its id would be logged.
    if (id === undefined) throw new SealError('wrong-keys', `${SETTING} is not valid: ${REMEDY}`)
    if (keys.has(id))
      throw new SealError(
        'wrong-keys',
        `${SETTING} names the key ${id} twice: give each key its own id`
      )
    keys.set(id, Buffer.from(base64, 'base64'))
  }
  return createKeyRing(keys)
}

function createKeyRing(keys: ReadonlyMap<string, Buffer>): KeyRing {
  const [[currentKeyId, currentKey] = ['', Buffer.alloc(KEY_BYTES)]] = keys
  return {
    currentKeyId,
    seal(text, place) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(CIPHER, currentKey, nonce, { authTagLength: TAG_BYTES }).setAAD(
        bytesOf(place)
      )
      const encrypted = [cipher.update(text, 'utf8'), cipher.final()]
      return { keyId: currentKeyId, box: Buffer.concat([nonce, ...encrypted, cipher.getAuthTag()]) }
    },
    open({ keyId, box }, place) {
      const key = keys.get(keyId)
      if (key === undefined) {
        throw new SealError(
          'unknown-key',
          `${named(place)} was sealed with the key ${keyId}, which ${SETTING} does not hold: ` +
            'add that key after the others'
        )
      }
      try {
        const decipher = createDecipheriv(CIPHER, key, box.subarray(0, NONCE_BYTES), {
          authTagLength: TAG_BYTES
        }).setAAD(bytesOf(place))
        decipher.setAuthTag(box.subarray(Math.max(NONCE_BYTES, box.length - TAG_BYTES)))
        return (
          decipher.update(box.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') +
          decipher.final('utf8')
        )
      } catch {
        throw new SealError(
          'not-genuine',
          `${named(place)} does not open with the key ${keyId}: ` +
            `${SETTING} holds another key under that id, or the row was changed or moved; ` +
            'put the key back, or set the value again'
        )
      }
    }
  }
}

/** Different places give different bytes, whatever their names hold. */
function bytesOf({ clientId, endpointId, field }: SealPlace): Buffer {
  return Buffer.from(JSON.stringify(['event-process-app sealed 1', clientId, endpointId, field]))
}

function named({ clientId, endpointId, field }: SealPlace): string {
  return `The ${field} of endpoint ${endpointId} (client ${clientId})`
}
