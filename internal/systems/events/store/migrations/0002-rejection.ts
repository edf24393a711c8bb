/** Refused events with their body and the reason, one row per queue message. */
import type { MigrationBuilder } from 'node-pg-migrate'

export const down = false

export function up(pgm: MigrationBuilder): void {
  // client_name, event_type_name and message_id come from the body, right or wrong, so
  // they have no foreign keys and no limits. body_encoding 'json-string': the body has
  // characters that PostgreSQL cannot hold (U+0000, lone surrogates), and is written as a
  // JSON string.
  pgm.sql(`
    CREATE TABLE rejection (
      queue_message_id text COLLATE "C" PRIMARY KEY,
      client_name text,
      event_type_name text,
      message_id text,
      reason text NOT NULL CONSTRAINT rejection_reason CHECK (reason IN (
        'not-json', 'not-an-object', 'missing-field', 'invalid-field', 'unknown-client', 'unknown-event-type',
        'schema-violation', 'conflict', 'unstorable', 'too-large', 'too-deep')),
      violations json NOT NULL,
      body text NOT NULL,
      body_encoding text NOT NULL DEFAULT 'plain' CONSTRAINT rejection_body_encoding CHECK (body_encoding IN ('plain', 'json-string')),
      receive_count integer NOT NULL,
      sent_at timestamptz,
      received_at timestamptz NOT NULL DEFAULT now(),
      redriven_at timestamptz,
      tx xid8 NOT NULL DEFAULT pg_current_xact_id()
    );
    CREATE INDEX rejection_reason_received_at ON rejection (reason, received_at);
  `)
}
