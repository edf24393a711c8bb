/**
 * One POST to one recipient, whom nobody trusts: every answer, or none, ends as one of
 * two results within its deadline.
 *
 * Shapes  the URL and all addresses behind it are checked on the way (url.ts,
 *         guarded-connect.ts). Redirects are not followed, bodies not unpacked. Of an
 *         answer up to 64 KiB are read and the first KiB is kept; a longer one is cut
 *         there and counts by its status. A status of 300 and above counts as soon as it
 *         is there; one below needs its whole answer, because some recipients send it
 *         before they do their work.
 * Units   milliseconds; the deadline spans waiting for a connection, connecting, sending
 *         and the whole answer.
 * Errors  none: whatever fails is a result of the kind `failed`, its class out of a
 *         closed set.
 * Source  undici 8, `dispatch` with a handler of one's own; figures in
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
   * Names in lower case and values in turn; content-type, user-agent, host and
   * content-length come by themselves.
   */
  readonly headers: readonly string[]
  readonly body: string
  readonly deadlineMs: number
}

export interface Poster {
  post(post: Post): Promise<PostResult>
  /** Cuts off what is under way, as `stopped`. May be called twice. */
  close(): Promise<void>
}

export interface PosterOptions {
  readonly rules: UrlRules
  readonly resolve: Resolve
  readonly clock: Clock
  readonly connectTimeoutMs: number
  readonly connectionsPerOrigin: number
  /**
   * Pools that are kept for the next attempt. More exist only while that many are at
   * work.
   */
  readonly maxOrigins: number
  readonly maxRetryAfterMs: number
}

const FIXED_HEADERS = [
  'content-type',
  'application/json',
  'user-agent',
  'event-process-app'
] as const
/** Verdicts are kept by their text; a cache that is full starts anew. */
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
