/**
 * The three tables of the original, with its names: clients, event types and events.
 */
import type { MigrationBuilder } from 'node-pg-migrate'

export const down = false

export function up(pgm: MigrationBuilder): void {
  // COLLATE "C" on every key column: it is the cheapest to compare, and has the same
  // order on every server, whatever its locale.
  pgm.sql(`
    CREATE TABLE client (
      name varchar(100) COLLATE "C" PRIMARY KEY CHECK (name <> '')
    );
    CREATE TABLE event_type (
      name varchar(100) COLLATE "C" PRIMARY KEY CHECK (name <> '')
    );
    INSERT INTO client (name) VALUES ('client-1'), ('client-2'), ('client-3');
    INSERT INTO event_type (name) VALUES ('monitor-app'), ('transaction-app'), ('user-app');
  `)
  // The key starts with the client, so that one client's id never hides another's event.
  // json, not jsonb: it keeps the text as sent and refuses no valid JSON text. tx gives
  // readers the rows in commit order. BRIN costs almost nothing on a column that only
  // grows.
  pgm.sql(`
    CREATE TABLE message (
      message_id text COLLATE "C" NOT NULL CONSTRAINT message_id_size CHECK (octet_length(message_id) BETWEEN 1 AND 255),
      message json NOT NULL,
      fk_event_type_name varchar(100) COLLATE "C" NOT NULL CONSTRAINT fk_event_type REFERENCES event_type (name),
      fk_client_name varchar(100) COLLATE "C" NOT NULL CONSTRAINT fk_client REFERENCES client (name),
      received_at timestamptz NOT NULL DEFAULT now(),
      tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
      PRIMARY KEY (fk_client_name, message_id)
    );
    CREATE INDEX message_tx ON message (tx);
    CREATE INDEX message_received_at ON message USING brin (received_at);
  `)
}
