/**
 * Clients and event types can be disabled, and database roles may read one client's rows.
 */
import type { MigrationBuilder } from 'node-pg-migrate'

export const down = false

export function up(pgm: MigrationBuilder): void {
  // A role's name has at most 63 bytes, a client's up to 100 characters of any kind, so a
  // table says which role reads whose rows. Row-level security is enabled with the first
  // reader (deployments/reader.sql), because roles belong to the server, not to these
  // tables.
  pgm.sql(`
    ALTER TABLE client ADD COLUMN disabled_at timestamptz;
    ALTER TABLE event_type ADD COLUMN disabled_at timestamptz;
    CREATE TABLE client_reader (
      role_name name CHECK (role_name <> ''),
      client varchar(100) COLLATE "C" REFERENCES client (name) ON DELETE CASCADE,
      PRIMARY KEY (role_name, client)
    );
  `)
}
