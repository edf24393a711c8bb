/**
 * What a POST's result means for its delivery and its endpoint (pure).
 *
 * Units   milliseconds.
 * Source  Standard Webhooks: only 2xx is success, a redirect is a failure, and 410 asks
 *         never to be called again; RFC 9110 10.2.3 for `Retry-After`, honoured for 429
 *         and 503.
 */
import type { Attempt } from '../../../engine/dispatch/dispatch.js'
import type { PostResult } from '../../../engine/egress/result.js'

const GONE = 410
const ASKS_TO_WAIT: ReadonlySet<number> = new Set([429, 503])

/** Null: the sender itself aborted the attempt. */
export function attemptOf(result: PostResult): Attempt<PostResult> | null {
  if (result.kind === 'failed')
    return result.errorClass === 'stopped' ? null : failedAttempt(result, 0)
  const { status, retryAfterMs = 0 } = result
  if (status >= 200 && status < 300)
    return { result, duty: { kind: 'done' }, lane: { kind: 'well', restMs: 0 } }
  if (status === GONE)
    return {
      result,
      duty: { kind: 'retry', notBeforeMs: 0 },
      lane: { kind: 'closed', reason: 'the endpoint answered 410 Gone' }
    }
  return failedAttempt(result, ASKS_TO_WAIT.has(status) ? retryAfterMs : 0)
}

/** A rest that the endpoint asked for delays the delivery too. */
function failedAttempt(result: PostResult, restMs: number): Attempt<PostResult> {
  return {
    result,
    duty: { kind: 'retry', notBeforeMs: restMs },
    lane: { kind: 'failing', restMs }
  }
}
