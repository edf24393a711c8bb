/**
 * Redriven messages that are refused again name their origin, and the queries that people
 * make on `rejection` get indexes.
 */
import type { MigrationBuilder } from 'node-pg-migrate'

export const down = false

export function up(pgm: MigrationBuilder): void {
  // client_name and message_id are as sent, of any length, and an index entry of more
  // than 2,704 bytes would make the insert fail. So the indexes have the start of the
  // client's name, and a hash of the id.
  pgm.sql(`
    ALTER TABLE rejection ADD COLUMN origin_queue_message_id text COLLATE "C";
    CREATE INDEX rejection_received_at ON rejection (received_at, queue_message_id);
    CREATE INDEX rejection_client_received_at ON rejection ((left(client_name, 100) COLLATE "C"), received_at, queue_message_id);
    CREATE INDEX rejection_message_id ON rejection USING hash (message_id);
    CREATE INDEX rejection_origin ON rejection (origin_queue_message_id) WHERE origin_queue_message_id IS NOT NULL;
  `)
}
