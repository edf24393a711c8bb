/**
 * Keeps connections alive per origin, for many more origins than it can keep connections
 * to.
 *
 * Shapes  a pool is leased for one request. Above `maxOrigins` pools, the one that was
 *         idle for longest is closed, but never one at work. A socket is given up after a
 *         number of requests, so that a busy sender follows changes of addresses.
 * Units   milliseconds, bytes.
 */
import { type buildConnector, Pool } from 'undici'

export interface OriginLease {
  readonly pool: Pool
  release(): void
}

export interface Origins {
  lease(origin: string): OriginLease
  destroy(): Promise<void>
}

export interface OriginsOptions {
  readonly connect: buildConnector.connector
  readonly connectionsPerOrigin: number
  readonly maxOrigins: number
}

/**
 * Less than the 5 s after which Node's servers hang up: a request on a connection that
 * has just closed is a failed attempt.
 */
const IDLE_SOCKET_MS = 4_000
const LONGEST_IDLE_SOCKET_MS = 60_000
const REQUESTS_PER_CONNECTION = 1_000
const MAX_HEADER_BYTES = 16_384

interface Entry {
  readonly pool: Pool
  leases: number
}

export function createOrigins({
  connect,
  connectionsPerOrigin,
  maxOrigins
}: OriginsOptions): Origins {
  /** In the order of their last lease. */
  const entries = new Map<string, Entry>()
  const open = (origin: string): Entry => ({
    leases: 0,
    pool: new Pool(origin, {
      connect,
      connections: connectionsPerOrigin,
      allowH2: false,
      keepAliveTimeout: IDLE_SOCKET_MS,
      keepAliveMaxTimeout: LONGEST_IDLE_SOCKET_MS,
      maxRequestsPerClient: REQUESTS_PER_CONNECTION,
      maxHeaderSize: MAX_HEADER_BYTES,
      // The deadline of the whole attempt comes before either.
      headersTimeout: 0,
      bodyTimeout: 0
    })
  })
  const closeIdle = (): void => {
    for (const [origin, { pool, leases }] of entries) {
      if (entries.size <= maxOrigins) return
      if (leases > 0) continue
      entries.delete(origin)
      void pool.close()
    }
  }
  let destroying: Promise<unknown> | null = null

  return {
    lease(origin) {
      const entry = entries.get(origin) ?? open(origin)
      entries.delete(origin)
      entries.set(origin, entry)
      entry.leases++
      if (entries.size > maxOrigins) closeIdle()
      return {
        pool: entry.pool,
        release() {
          entry.leases--
          if (entries.size > maxOrigins) closeIdle()
        }
      }
    },
    async destroy() {
      destroying ??= Promise.all(Array.from(entries.values(), ({ pool }) => pool.destroy()))
      await destroying
    }
  }
}
