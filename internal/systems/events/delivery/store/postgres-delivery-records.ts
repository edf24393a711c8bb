/**
 * The records of deliveries in PostgreSQL, on connections of the caller's pool. Each call
 * is one statement.
 */
import type pg from 'pg'
import { rethrowClassified } from '../../../../engine/postgres/fault.js'
import { readNow } from '../../store/sql/read-now.js'
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
    question(pool).catch(rethrowClassified)
  return {
    list: (filter, limit) => ask(db => listDeliveries(db, filter, limit)),
    count: filter => ask(db => countDeliveries(db, filter)),
    attempts: ids => ask(db => readAttempts(db, ids)),
    lastAttempts: (endpointId, limit) => ask(db => readLastAttempts(db, endpointId, limit)),
    ofEvents: keys => ask(db => deliveriesOfEvents(db, keys)),
    now: () => ask(readNow),
    countRedrivable: filter => ask(db => countRedrivable(db, filter)),
    redrive: page => ask(db => redriveDeliveries(db, page)),
    placeBefore: since => ask(db => placeBefore(db, since)),
    backfill: page => ask(db => backfillDeliveries(db, page))
  }
}
