/**
 * What a program needs to know about its database.
 *
 * Units   in the names: _MS milliseconds.
 */

import type { Values } from '../config/environment.js'
import { defineSettings } from '../config/setting.js'

export const DATABASE_SETTINGS = defineSettings('Database', {
  // There is one driver; the setting stays because .env files contain it.
  DB_DRIVER: {
    type: 'string',
    default: 'postgres',
    enum: ['postgres'],
    description: 'Database driver'
  },
  DB_CONNECTION: {
    type: 'string',
    secret: true,
    pattern: '^postgres(ql)?://',
    shape: 'postgresql://user:password@host:5432/database?sslmode=disable',
    description:
      'Database connection string; with sslmode=verify-full&sslrootcert=FILE the server must prove its identity'
  },
  POSTGRES_USER: {
    type: 'string',
    description: 'User of the database container (deployments/docker-compose.yaml)'
  },
  POSTGRES_PASSWORD: {
    type: 'string',
    secret: true,
    description: 'Password of the database container'
  },
  POSTGRES_DB: {
    type: 'string',
    description: 'Database of the database container'
  },
  STATEMENT_TIMEOUT_MS: {
    type: 'integer',
    default: 30_000,
    minimum: 100,
    maximum: 600_000,
    description:
      'Longest statement; then PostgreSQL cancels it, and a little later the client gives up on a silent server'
  },
  LOCK_TIMEOUT_MS: {
    type: 'integer',
    default: 5_000,
    minimum: 100,
    maximum: 600_000,
    description: 'Longest wait for a lock that another session holds'
  },
  DB_ALLOW_UNSAFE_DURABILITY: {
    type: 'string',
    default: 'no',
    enum: ['no', 'yes'],
    description:
      'yes accepts a server with fsync, full_page_writes or synchronous_commit off, ' +
      'which may lose committed events in a crash'
  }
})

/** Time limits for the database and for its answer, and what it must promise. */
export interface DbLimits {
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  readonly idleInTransactionTimeoutMs: number
  readonly queryDeadlineMs: number
  readonly requireDurability: boolean
}

/** After this, a worker that stops in the middle of a transaction loses its locks. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000
/**
 * The server's own limit comes first; the client gives up on a silent server this much
 * later.
 */
const QUERY_DEADLINE_MARGIN_MS = 5_000

export function readDbLimits(values: Values<typeof DATABASE_SETTINGS.settings>): DbLimits {
  return {
    statementTimeoutMs: values.STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: values.LOCK_TIMEOUT_MS,
    idleInTransactionTimeoutMs: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    queryDeadlineMs: values.STATEMENT_TIMEOUT_MS + QUERY_DEADLINE_MARGIN_MS,
    requireDurability: values.DB_ALLOW_UNSAFE_DURABILITY === 'no'
  }
}
