/** The names in PostgreSQL, on connections of the caller's pool. */
import type pg from 'pg'
import { classify } from '../../../engine/postgres/fault.js'
import type { Change, NameRecord, Names } from './names.js'

interface Statements {
  readonly list: string
  readonly add: string
  readonly find: string
  readonly disable: string
  readonly enable: string
}

const CLIENT: Statements = {
  list: `
SELECT name, disabled_at AS "disabledAt",
       (SELECT count(*)::int FROM event_schema s WHERE s.client = c.name AND s.state = 'active') AS "activeSchemas",
       ARRAY(SELECT role_name::text FROM client_reader r WHERE r.client = c.name ORDER BY role_name) AS readers,
       json_build_object('weight', weight, 'maxEventsPerS', max_events_per_s, 'maxBytesPerS', max_bytes_per_s, 'overQuota', over_quota) AS limits
FROM client c ORDER BY name`,
  add: 'INSERT INTO client (name) VALUES ($1) ON CONFLICT (name) DO NOTHING',
  find: 'SELECT disabled_at IS NOT NULL AS "isDisabled" FROM client WHERE name = $1',
  disable: 'UPDATE client SET disabled_at = now() WHERE name = $1 AND disabled_at IS NULL',
  enable: 'UPDATE client SET disabled_at = NULL WHERE name = $1 AND disabled_at IS NOT NULL'
}

const EVENT_TYPE: Statements = {
  list: `
SELECT name, disabled_at AS "disabledAt",
       (SELECT count(*)::int FROM event_schema s WHERE s.event_type = e.name AND s.state = 'active') AS "activeSchemas",
       ARRAY[]::text[] AS readers, NULL AS limits
FROM event_type e ORDER BY name`,
  add: 'INSERT INTO event_type (name) VALUES ($1) ON CONFLICT (name) DO NOTHING',
  find: 'SELECT disabled_at IS NOT NULL AS "isDisabled" FROM event_type WHERE name = $1',
  disable: 'UPDATE event_type SET disabled_at = now() WHERE name = $1 AND disabled_at IS NULL',
  enable: 'UPDATE event_type SET disabled_at = NULL WHERE name = $1 AND disabled_at IS NOT NULL'
}

export const createPostgresClients = (pool: pg.Pool): Names => createNames(pool, CLIENT)
export const createPostgresEventTypes = (pool: pg.Pool): Names => createNames(pool, EVENT_TYPE)

function createNames(pool: pg.Pool, statements: Statements): Names {
  async function find(name: string): Promise<{ readonly isDisabled: boolean } | null> {
    const { rows } = await pool
      .query<{ isDisabled: boolean }>(statements.find, [name])
      .catch(rethrow)
    return rows[0] ?? null
  }
  async function change(statement: string, name: string): Promise<Change> {
    const { rowCount } = await pool.query(statement, [name]).catch(rethrow)
    if (rowCount === 1) return 'changed'
    return (await find(name)) === null ? 'missing' : 'unchanged'
  }
  return {
    async list() {
      return (await pool.query<NameRecord>(statements.list).catch(rethrow)).rows
    },
    async add(name) {
      const { rowCount } = await pool.query(statements.add, [name]).catch(rethrow)
      if (rowCount === 1) return 'added'
      return (await find(name))?.isDisabled === true ? 'disabled' : 'exists'
    },
    disable: name => change(statements.disable, name),
    enable: name => change(statements.enable, name)
  }
}

function rethrow(error: unknown): never {
  throw classify(error)
}
