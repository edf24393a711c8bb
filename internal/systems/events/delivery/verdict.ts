/**
 * What an attempt means for its delivery (pure).
 *
 * Shapes  the result of one POST in, one of three judgements out.
 * Units   milliseconds; `notBeforeMs` counts from now, 0 where the recipient asked for
 *         nothing.
 * Source  Standard Webhooks: success is 2xx and nothing else, a redirect is a failure,
 *         410 asks never to be called again; RFC 9110 10.2.3 for `Retry-After`, which is
 *         a request of the busy (429) and of those who are down (503).
 */
import type { PostResult } from '../../../engine/egress/result.js'

export type Judgement =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'retry'; readonly notBeforeMs: number }

const GONE = 410
const ASKS_TO_WAIT: ReadonlySet<number> = new Set([429, 503])

export function judge(result: PostResult): Judgement {
  if (result.kind === 'failed') return { kind: 'retry', notBeforeMs: 0 }
  const { status, retryAfterMs } = result
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  if (status === GONE) return { kind: 'gone' }
  return { kind: 'retry', notBeforeMs: ASKS_TO_WAIT.has(status) ? (retryAfterMs ?? 0) : 0 }
}
