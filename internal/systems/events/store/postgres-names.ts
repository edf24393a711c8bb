/** Clients and event types in PostgreSQL, on connections of the caller's pool. */
import type pg from 'pg'
import { rethrowClassified } from '../../../engine/postgres/fault.js'
import type { Names } from './names.js'
import { addName } from './sql/add-name.js'
import { disableName } from './sql/disable-name.js'
import { enableName } from './sql/enable-name.js'
import { findName } from './sql/find-name.js'
import { listNames } from './sql/list-names.js'
import type { NameTable } from './sql/name-table.js'

export const createPostgresClients = (pool: pg.Pool): Names => createNames(pool, 'client')
export const createPostgresEventTypes = (pool: pg.Pool): Names => createNames(pool, 'event_type')

function createNames(pool: pg.Pool, table: NameTable): Names {
  const find = (name: string) => findName(pool, table, name).catch(rethrowClassified)
  const changed = async (
    isChanged: Promise<boolean>,
    name: string
  ): ReturnType<Names['enable']> => {
    if (await isChanged.catch(rethrowClassified)) return 'changed'
    return (await find(name)) === null ? 'missing' : 'unchanged'
  }
  return {
    list: () => listNames(pool, table).catch(rethrowClassified),
    async add(name) {
      if (await addName(pool, table, name).catch(rethrowClassified)) return 'added'
      return (await find(name))?.isDisabled === true ? 'disabled' : 'exists'
    },
    disable: name => changed(disableName(pool, table, name), name),
    enable: name => changed(enableName(pool, table, name), name)
  }
}
