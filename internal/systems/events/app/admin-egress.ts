/**
 * How the admin program sends to endpoints, under the same rules as the sender; opened
 * when a command needs it.
 */
import type { Environment } from '../../../engine/config/environment.js'
import { createAddressRules } from '../../../engine/egress/address.js'
import { createPoster, type Poster } from '../../../engine/egress/post.js'
import { createResolve } from '../../../engine/egress/resolve.js'
import { systemClock as clock } from '../../../engine/lifecycle/clock.js'
import type { AdminEgress } from '../admin/context.js'
import { readSenderConfig } from '../config/config.js'
import { openKeyRing } from './key-ring.js'

export interface LazyEgress {
  readonly open: () => AdminEgress
  close(): Promise<void>
}

const POSTER = {
  connectTimeoutMs: 5_000,
  connectionsPerOrigin: 1,
  maxOrigins: 1,
  maxRetryAfterMs: 86_400_000
}

export function createAdminEgress(env: Environment): LazyEgress {
  const posters: Poster[] = []
  return {
    open() {
      const config = readSenderConfig(env)
      const { allowHttp, allowList } = config.sender
      const rules = { allowHttp, addresses: createAddressRules(allowList) }
      const poster = createPoster({ ...POSTER, rules, resolve: createResolve(), clock })
      posters.push(poster)
      return { rules, keys: openKeyRing(config), post: post => poster.post(post) }
    },
    async close() {
      await Promise.all(posters.map(poster => poster.close()))
    }
  }
}
