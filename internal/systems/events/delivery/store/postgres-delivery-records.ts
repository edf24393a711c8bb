/**
 * The records of deliveries in PostgreSQL, on connections of the caller's pool. Each call
 * is one statement.
 */
import type pg from 'pg'
import { classify } from '../../../../engine/postgres/fault.js'
import type { DeliveryRecords } from './delivery-records.js'
import { backfillDeliveries } from './sql/backfill-deliveries.js'
import { countDeliveries } from './sql/count-deliveries.js'
import { countRedrivable } from './sql/count-redrivable.js'
import { deliveriesOfEvents } from './sql/deliveries-of-events.js'
import { listDeliveries } from './sql/list-deliveries.js'
import { placeBefore } from './sql/place-before.js'
import { readAttempts } from './sql/read-attempts.js'
import { readLastAttempts } from './sql/read-last-attempts.js'
import { redriveDeliveries } from './sql/redrive-deliveries.js'

export function createPostgresDeliveryRecords(pool: pg.Pool): DeliveryRecords {
  const ask = <T>(question: (db: pg.Pool) => Promise<T>): Promise<T> =>
    question(pool).catch((error: unknown) => {
      throw classify(error)
    })
  return {
    list: (filter, limit) => ask(db => listDeliveries(db, filter, limit)),
    count: filter => ask(db => countDeliveries(db, filter)),
    attempts: ids => ask(db => readAttempts(db, ids)),
    lastAttempts: (endpointId, limit) => ask(db => readLastAttempts(db, endpointId, limit)),
    ofEvents: keys => ask(db => deliveriesOfEvents(db, keys)),
    async now() {
      const { rows } = await ask(db => db.query<{ now: string }>('SELECT now()::text AS now'))
      return rows[0]?.now ?? ''
    },
    countRedrivable: filter => ask(db => countRedrivable(db, filter)),
    redrive: page => ask(db => redriveDeliveries(db, page)),
    placeBefore: since => ask(db => placeBefore(db, since)),
    backfill: page => ask(db => backfillDeliveries(db, page))
  }
}
