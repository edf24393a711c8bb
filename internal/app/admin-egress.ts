/** The admin program's own way to endpoints, under the same rules as the sender's; opened when a command needs it. */
import type { AdminEgress } from '../admin/command.js'
import { readSenderConfig } from '../config/config.js'
import type { Environment } from '../config/environment.js'
import { createAddressRules } from '../egress/address.js'
import { createPoster, type Poster } from '../egress/post.js'
import { createResolve } from '../egress/resolve.js'
import { systemClock as clock } from '../lifecycle/clock.js'
import { openKeyRing } from './key-ring.js'

export interface LazyEgress {
  readonly open: () => AdminEgress
  close(): Promise<void>
}

const POSTER = { connectTimeoutMs: 5_000, connectionsPerOrigin: 1, maxOrigins: 1, maxRetryAfterMs: 86_400_000 }

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
