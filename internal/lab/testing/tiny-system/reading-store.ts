/**
 * The readings in PostgreSQL, with as few statements as possible. One statement per row,
 * because this system's speed does not matter.
 */
import type { ClientBase } from 'pg'
import type { Store } from '../../../engine/intake/store.js'
import type {
  Disposition,
  Entry,
  ReceivedMessage,
  Rejection
} from '../../../engine/message/message.js'
import {
  type CommitStatements,
  type CommitStoreOptions,
  createCommitStore,
  type WrittenBatch
} from '../../../engine/postgres/commit-store.js'
import type { Witness } from '../../../engine/postgres/transaction-token.js'
import { CONFLICT, type Reading } from './reading.js'

export const CREATE_READING_TABLES = `
CREATE SCHEMA tiny;
CREATE TABLE tiny.reading (
  meter text COLLATE "C", id text COLLATE "C", value int NOT NULL,
  tx xid8 NOT NULL DEFAULT pg_current_xact_id(), PRIMARY KEY (meter, id)
);
CREATE TABLE tiny.rejection (
  queue_message_id text COLLATE "C" PRIMARY KEY, reason text NOT NULL, violations json NOT NULL,
  body text NOT NULL, receive_count int NOT NULL, tx xid8 NOT NULL DEFAULT pg_current_xact_id()
)`

const INSERT_READING = `
INSERT INTO tiny.reading (meter, id, value) VALUES ($1, $2, $3)
ON CONFLICT (meter, id) DO NOTHING`
const IS_REJECTED = 'SELECT FROM tiny.rejection WHERE queue_message_id = $1'
const IS_SAME = 'SELECT FROM tiny.reading WHERE meter = $1 AND id = $2 AND value = $3'
const INSERT_REJECTION = `
INSERT INTO tiny.rejection (queue_message_id, reason, violations, body, receive_count)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (queue_message_id) DO NOTHING`

/** An entry that becomes a row of `rejection`, and its position in the batch. */
interface RefusedEntry {
  readonly at: number
  readonly message: ReceivedMessage
  readonly rejection: Rejection
}

async function writeReadings(
  client: ClientBase,
  batch: readonly Entry<Reading>[]
): Promise<WrittenBatch> {
  const dispositions = batch.map((): Disposition => 'duplicate')
  const refused: RefusedEntry[] = []
  let witness: Witness | null = null
  const has = async (statement: string, values: readonly unknown[]): Promise<boolean> =>
    (await client.query(statement, [...values])).rowCount === 1

  // All transactions take their locks in the same order: readings by key, then rejections
  // by key. Equal keys keep the order of the batch.
  for (const { at, message, key, values } of readingsOf(batch)) {
    if (await has(IS_REJECTED, [message.id])) continue
    if (await has(INSERT_READING, values)) {
      dispositions[at] = 'stored'
      witness ??= { table: 'reading', key }
    } else if (!(await has(IS_SAME, values))) refused.push({ at, message, rejection: CONFLICT })
  }
  for (const [at, { message, verdict }] of batch.entries())
    if (verdict.kind === 'rejected') refused.push({ at, message, rejection: verdict.rejection })
  for (const { at, message, rejection } of inOrder(refused, ({ message }) => message.id)) {
    const { reason, violations } = rejection
    // As a JSON string: PostgreSQL cannot hold every text as it is.
    const kept = [JSON.stringify(violations), JSON.stringify(message.body)]
    const values = [message.id, reason, ...kept, message.receiveCount]
    if (!(await has(INSERT_REJECTION, values))) continue
    dispositions[at] = reason
    witness ??= { table: 'rejection', key: [message.id] }
  }
  const { rows } = await client.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid')
  return { xid: rows[0]?.xid ?? '', witness, dispositions }
}

function readingsOf(batch: readonly Entry<Reading>[]) {
  const readings = [...batch.entries()].flatMap(([at, { message, verdict }]) => {
    if (verdict.kind === 'rejected') return []
    const { meter, id, value } = verdict.item
    return [{ at, message, key: [meter, id], values: [meter, id, value] }]
  })
  return inOrder(readings, ({ key }) => key.join('\u0000'))
}

function inOrder<T>(all: readonly T[], keyOf: (one: T) => string): readonly T[] {
  const compare = (one: string, other: string): number => (one < other ? -1 : Number(one > other))
  return all.toSorted((one, other) => compare(keyOf(one), keyOf(other)))
}

const STATEMENTS: CommitStatements<Reading> = {
  applicationName: 'tiny store',
  write: writeReadings,
  findWitness: {
    reading: 'SELECT FROM tiny.reading WHERE meter = $2 AND id = $3 AND tx = $1::xid8',
    rejection: 'SELECT FROM tiny.rejection WHERE queue_message_id = $2 AND tx = $1::xid8'
  },
  async probe(client) {
    await client.query('INSERT INTO tiny.reading SELECT * FROM tiny.reading WHERE false')
    await client.query('INSERT INTO tiny.rejection SELECT * FROM tiny.rejection WHERE false')
  }
}

export function createReadingStore(options: CommitStoreOptions): Store<Reading> {
  return createCommitStore(options, STATEMENTS)
}
