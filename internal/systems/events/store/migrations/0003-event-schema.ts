/**
 * JSON Schemas for payloads, per event type, for one client or (client null) for all.
 */
import type { MigrationBuilder } from 'node-pg-migrate'

export const down = false

export function up(pgm: MigrationBuilder): void {
  // The indexes use coalesce because NULLS NOT DISTINCT needs PostgreSQL 15; no client is
  // named '' (CHECK on client.name).
  pgm.sql(`
    CREATE TABLE event_schema (
      event_type varchar(100) COLLATE "C" NOT NULL REFERENCES event_type (name),
      client varchar(100) COLLATE "C" REFERENCES client (name),
      version integer NOT NULL CHECK (version >= 1),
      state text NOT NULL DEFAULT 'shadow' CONSTRAINT event_schema_state CHECK (state IN ('shadow', 'active', 'retired')),
      schema json NOT NULL,
      hash text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE UNIQUE INDEX event_schema_version ON event_schema (event_type, coalesce(client, ''), version);
    CREATE UNIQUE INDEX event_schema_active ON event_schema (event_type, coalesce(client, '')) WHERE state = 'active';
  `)
}
