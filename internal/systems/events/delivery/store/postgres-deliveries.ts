/**
 * Deliveries in PostgreSQL, on connections of the caller's pool.
 *
 * Source  PostgreSQL manual: transaction id and snapshot functions (pg_snapshot_xmin).
 */
import type pg from 'pg'
import type { WakeLanes } from '../../../../engine/dispatch/wake-lanes.js'
import { rethrowClassified } from '../../../../engine/postgres/fault.js'
import { inTransaction } from '../../../../engine/postgres/transaction.js'
import type { Deliveries, DueDelivery } from './deliveries.js'
import { changeEndpoint } from './sql/change-endpoint.js'
import { endDisabled } from './sql/end-disabled.js'
import { endGone } from './sql/end-gone.js'
import { fanOut } from './sql/fan-out.js'
import { type DueRow, readDue } from './sql/read-due.js'
import { readDueEndpoints } from './sql/read-due-endpoints.js'
import { readOwed } from './sql/read-owed.js'
import { readUsableEndpoint } from './sql/read-sealed-endpoint.js'
import { settleDeliveries } from './sql/settle-deliveries.js'

export function createPostgresDeliveries(pool: pg.Pool, wakeLanes: WakeLanes): Deliveries {
  const wakeEndpoints = async (
    client: pg.ClientBase,
    endpointIds: readonly number[]
  ): Promise<void> => {
    if (endpointIds.length > 0) await wakeLanes(client, endpointIds.map(String))
  }

  return {
    fanOut: maxEvents =>
      inTransaction(pool, async client => {
        const { isOurs, events, deliveries, endpoints } = await fanOut(client, maxEvents)
        if (!isOurs) return null
        await wakeEndpoints(client, endpoints)
        return { events, deliveries }
      }),
    wakeDue: () =>
      inTransaction(pool, async client => {
        const endpoints = await readDueEndpoints(client)
        await wakeEndpoints(client, endpoints)
        return endpoints.length
      }),
    endDisabled: maxDeliveries => endDisabled(pool, maxDeliveries).catch(rethrowClassified),
    endpoint: id => readUsableEndpoint(pool, id).catch(rethrowClassified),
    due: (endpointId, limit, exceptIds) =>
      dueWithPayload(pool, endpointId, limit, exceptIds).catch(rethrowClassified),
    async settle(outcomes) {
      if (outcomes.length > 0) await settleDeliveries(pool, outcomes).catch(rethrowClassified)
    },
    change: (endpointId, change) =>
      changeEndpoint(pool, endpointId, change).catch(rethrowClassified),
    owed: () => readOwed(pool).catch(rethrowClassified)
  }
}

/** Makes deliveries dead whose message is gone; reads again if nothing else was due. */
async function dueWithPayload(
  pool: pg.Pool,
  endpointId: number,
  limit: number,
  exceptIds: readonly string[]
): Promise<readonly DueDelivery[]> {
  for (;;) {
    const rows = await readDue(pool, endpointId, limit, exceptIds)
    const gone = rows.filter(({ payload }) => payload === null).map(({ id }) => id)
    if (gone.length > 0) await endGone(pool, gone)
    if (gone.length < rows.length || rows.length === 0)
      return rows.filter((row): row is DueRow & DueDelivery => row.payload !== null)
  }
}
