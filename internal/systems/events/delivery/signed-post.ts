/**
 * One attempt's request: the envelope, signed with every secret in force, and the
 * client's own headers.
 */
import type { Post } from '../../../engine/egress/post.js'
import type { Endpoint } from './endpoint.js'
import { envelopeOf, webhookIdOf } from './envelope.js'
import type { DueDelivery } from './store/deliveries.js'

/** `atMs` is the time of this attempt, since 1970: recipients refuse old signatures. */
export function signedPost(endpoint: Endpoint, delivery: DueDelivery, atMs: number): Post {
  const { id: endpointId, client, url, signer, headers, timeoutMs } = endpoint
  const timestampS = Math.floor(atMs / 1_000)
  const body = envelopeOf(client, delivery)
  const id = webhookIdOf(endpointId, client, delivery.messageId)
  return {
    url,
    headers: [
      'webhook-id',
      id,
      'webhook-timestamp',
      String(timestampS),
      'webhook-signature',
      signer.sign(id, timestampS, body),
      ...headers
    ],
    body,
    deadlineMs: timeoutMs
  }
}
