/**
 * The secret that a client and the sender share for one endpoint, in the form that people
 * copy: `whsec_` and base64.
 *
 * Shapes  text in; the key out, or a sentence that says what is wrong without repeating
 *         it.
 * Units   bytes.
 * Source  Standard Webhooks: 24 to 64 random bytes; the prefix names the kind and is not
 *         part of the key.
 */
import { randomBytes } from 'node:crypto'

const PREFIX = 'whsec_'
const NEW_BYTES = 32
const MIN_BYTES = 24
const MAX_BYTES = 64

export type ParsedSecret =
  | { readonly kind: 'key'; readonly key: Buffer }
  | { readonly kind: 'refused'; readonly reason: string }

export function newSecret(): string {
  return `${PREFIX}${randomBytes(NEW_BYTES).toString('base64')}`
}

/** Secrets made elsewhere may lack the prefix. */
export function parseSecret(text: string): ParsedSecret {
  if (/^wh[sp]k_/.test(text))
    return refused(
      'this is a key of a signature pair (v1a): use a shared secret, whsec_ and base64'
    )
  const base64 = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : text
  const key = Buffer.from(base64, 'base64')
  if (key.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, ''))
    return refused('a secret is whsec_ and base64: copy all of it again')
  if (key.length < MIN_BYTES || key.length > MAX_BYTES)
    return refused(`a secret has ${MIN_BYTES} to ${MAX_BYTES} bytes, this one has ${key.length}`)
  return { kind: 'key', key }
}

function refused(reason: string): ParsedSecret {
  return { kind: 'refused', reason }
}
