/** Sets weights and quotas of clients, on connections of the caller's pool. */
import type pg from 'pg'
import { rethrowClassified } from '../../../engine/postgres/fault.js'
import type { ClientLimitsStore } from './client-settings.js'
import { setClientLimits } from './sql/set-client-limits.js'

export function createPostgresClientLimits(pool: pg.Pool): ClientLimitsStore {
  return {
    set: (client, change) => setClientLimits(pool, client, change).catch(rethrowClassified)
  }
}
