/**
 * The records in PostgreSQL.
 *
 * Errors  StoreError, by `classify`; an error of `send` is passed on unchanged.
 */
import type pg from 'pg'
import { classify, rethrowClassified } from '../../../engine/postgres/fault.js'
import { ALL_REJECTIONS, type Records } from './records.js'
import { claimRejections } from './sql/claim-rejections.js'
import { countRejections } from './sql/count-rejections.js'
import { findRejectedIds } from './sql/find-rejected-ids.js'
import { findStored } from './sql/find-stored.js'
import { listRejections } from './sql/list-rejections.js'
import { markRedriven } from './sql/mark-redriven.js'
import { readNow } from './sql/read-now.js'
import { readRejections } from './sql/read-rejections.js'
import { readStored } from './sql/read-stored.js'

const BEGIN_SNAPSHOT = `
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL idle_in_transaction_session_timeout = 0`

export function createPostgresRecords(pool: pg.Pool): Records {
  const ask = <T>(question: (db: pg.Pool) => Promise<T>): Promise<T> =>
    question(pool).catch(rethrowClassified)

  async function* inSnapshot<T>(
    read: (client: pg.PoolClient) => AsyncIterable<T>
  ): AsyncGenerator<T> {
    const client = await pool.connect().catch(rethrowClassified)
    try {
      // The reader may be slow, a pager for instance.
      await client.query(BEGIN_SNAPSHOT)
      yield* read(client)
    } catch (error) {
      throw classify(error)
    } finally {
      // If the reader stops early, the transaction ends with its connection.
      client.release(true)
    }
  }

  return {
    listRejections: (filter, limit) => ask(db => listRejections(db, filter, limit)),
    countRejections: filter => ask(db => countRejections(db, filter)),
    findStored: (clientId, messageId) => ask(db => findStored(db, clientId, messageId)),
    findRejections: (id, clientId) =>
      ask(async db => {
        const ids = await findRejectedIds(db, id, clientId)
        return ids.length === 0 ? [] : listRejections(db, { ...ALL_REJECTIONS, ids }, ids.length)
      }),
    markRedriven: ids => ask(db => markRedriven(db, ids)),

    readRejections: (filter, limit) => inSnapshot(client => readRejections(client, filter, limit)),
    readStored: filter => inSnapshot(client => readStored(client, filter)),

    now: () => ask(readNow),

    async claimRejections(claim, send) {
      const client = await pool.connect().catch(rethrowClassified)
      let isOver = false
      try {
        await client.query('BEGIN ISOLATION LEVEL READ COMMITTED').catch(rethrowClassified)
        const { rejections, last } = await claimRejections(client, claim).catch(rethrowClassified)
        const sent = rejections.length === 0 ? [] : await send(rejections)
        if (sent.length > 0) await markRedriven(client, sent).catch(rethrowClassified)
        await client.query('COMMIT').catch(rethrowClassified)
        isOver = true
        return last
      } finally {
        // An unfinished transaction ends with its connection.
        client.release(!isOver)
      }
    }
  }
}
