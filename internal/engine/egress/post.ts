/**
 * One POST to one untrusted recipient: any answer, or none, becomes one of two results
 * within the deadline.
 *
 * Shapes  the URL and all addresses behind it are checked on the way (url.ts,
 *         guarded-connect.ts). Redirects are not followed, bodies not decompressed. Up to
 *         64 KiB of an answer are read and the first KiB is kept; a longer answer is cut
 *         there and counts by its status. A status of 300 and above counts as soon as it
 *         arrives; one below needs its whole answer, because some recipients send it
 *         before they do their work.
 * Units   milliseconds; the deadline covers waiting for a connection, connecting, sending
 *         and the whole answer.
 * Errors  none: every failure is a result of the kind `failed`, with its class from a
 *         closed set.
 * Source  undici 8, `dispatch` with our own handler; figures in
 *         internal/docs/decisions/0014-egress.md.
 */
import type { Clock } from '../lifecycle/clock.js'
import { Exchange } from './exchange.js'
import { createGuardedConnect } from './guarded-connect.js'
import { createOrigins } from './origins.js'
import type { Resolve } from './resolve.js'
import type { PostResult } from './result.js'
import { checkEndpointUrl, type UrlRules, type UrlVerdict } from './url.js'

export interface Post {
  readonly url: string
  /**
   * Alternating names, in lower case, and values; content-type, user-agent, host and
   * content-length are added.
   */
  readonly headers: readonly string[]
  readonly body: string
  readonly deadlineMs: number
}

export interface Poster {
  post(post: Post): Promise<PostResult>
  /** Cuts off requests under way, as `stopped`. May be called twice. */
  close(): Promise<void>
}

export interface PosterOptions {
  readonly rules: UrlRules
  readonly resolve: Resolve
  readonly clock: Clock
  readonly connectTimeoutMs: number
  readonly connectionsPerOrigin: number
  /** Pools kept for the next attempt. More exist only while more are at work. */
  readonly maxOrigins: number
  readonly maxRetryAfterMs: number
}

const FIXED_HEADERS = [
  'content-type',
  'application/json',
  'user-agent',
  'event-process-app'
] as const
/** Verdicts are cached by URL; a full cache is emptied. */
const MAX_KNOWN_URLS = 10_000

export function createPoster(options: PosterOptions): Poster {
  const {
    rules,
    resolve,
    clock,
    connectTimeoutMs,
    connectionsPerOrigin,
    maxOrigins,
    maxRetryAfterMs
  } = options
  const connect = createGuardedConnect({ addresses: rules.addresses, resolve, connectTimeoutMs })
  const origins = createOrigins({ connect, connectionsPerOrigin, maxOrigins })
  const known = new Map<string, UrlVerdict>()

  const verdictOf = (url: string): UrlVerdict => {
    let verdict = known.get(url)
    if (verdict === undefined) {
      if (known.size >= MAX_KNOWN_URLS) known.clear()
      verdict = checkEndpointUrl(url, rules)
      known.set(url, verdict)
    }
    return verdict
  }

  let isClosed = false

  return {
    post({ url, headers, body, deadlineMs }) {
      if (isClosed)
        return Promise.resolve({ kind: 'failed', errorClass: 'stopped', detail: 'closed', ms: 0 })
      const verdict = verdictOf(url)
      if (verdict.kind === 'refused') {
        return Promise.resolve({
          kind: 'failed',
          errorClass: 'refused-url',
          detail: verdict.reason,
          ms: 0
        })
      }
      return new Promise(done => {
        const { origin, path } = verdict.url
        const lease = origins.lease(origin)
        const exchange = new Exchange({ clock, deadlineMs, maxRetryAfterMs }, result => {
          lease.release()
          done(result)
        })
        lease.pool.dispatch(
          { path, method: 'POST', headers: [...FIXED_HEADERS, ...headers], body },
          exchange
        )
      })
    },
    close() {
      isClosed = true
      return origins.destroy()
    }
  }
}
