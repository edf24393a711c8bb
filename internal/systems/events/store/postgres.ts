/** The statements with which the intake writes events to PostgreSQL. */
import type { Store } from '../../../engine/intake/store.js'
import {
  type CommitStatements,
  type CommitStoreOptions,
  createCommitStore
} from '../../../engine/postgres/commit-store.js'
import type { EventRejection, ValidEvent } from '../event/event.js'
import { insertMessages } from './sql/insert-messages.js'
import { insertRejections } from './sql/insert-rejections.js'
import { writeBatch } from './write-batch.js'

const STATEMENTS: CommitStatements<ValidEvent, EventRejection> = {
  applicationName: 'event-process store',
  write: writeBatch,
  findWitness: {
    message: 'SELECT FROM message WHERE fk_client_name = $2 AND message_id = $3 AND tx = $1::xid8',
    rejection: 'SELECT FROM rejection WHERE queue_message_id = $2 AND tx = $1::xid8'
  },
  async probe(client) {
    await insertMessages(client, [])
    await insertRejections(client, [])
  }
}

export function createEventStore(options: CommitStoreOptions): Store<ValidEvent, EventRejection> {
  return createCommitStore(options, STATEMENTS)
}
