/** An endpoint ready for sending: its secrets are opened and its headers known. */

import { ExpectedError } from '../../../engine/lifecycle/service.js'
import type { KeyRing, Sealed } from './sealed.js'
import { parseSecret } from './secret.js'
import { createWebhookSigner, type WebhookSigner } from './signature.js'
import type { SealedEndpoint } from './store/deliveries.js'

export interface Endpoint extends Omit<SealedEndpoint, 'sealedSecrets' | 'sealedHeaders'> {
  readonly signer: WebhookSigner
  /** Lower-case names and values, alternating. */
  readonly headers: readonly string[]
}

/** The sealed values of an endpoint, by the name under which each was sealed. */
export const SECRET_FIELD = 'secret'
export const HEADERS_FIELD = 'headers'

/** Throws SealError or ExpectedError; no message holds a sealed value. */
export function openEndpoint(sealed: SealedEndpoint, keys: KeyRing): Endpoint {
  const { sealedSecrets, sealedHeaders, ...plain } = sealed
  const open = (box: Sealed, field: string): string =>
    keys.open(box, { clientId: plain.client, endpointId: String(plain.id), field })
  const secrets = sealedSecrets.map(box => {
    const secret = parseSecret(open(box, SECRET_FIELD))
    if (secret.kind === 'refused')
      throw new ExpectedError(`the secret of endpoint ${plain.id} cannot be used: ${secret.reason}`)
    return secret.key
  })
  if (secrets.length === 0)
    throw new ExpectedError(
      `endpoint ${plain.id} has no secret: admin endpoints rotate-secret ${plain.id}`
    )
  const headers =
    sealedHeaders === null
      ? {}
      : (JSON.parse(open(sealedHeaders, HEADERS_FIELD)) as Record<string, string>)
  return { ...plain, signer: createWebhookSigner(secrets), headers: Object.entries(headers).flat() }
}
