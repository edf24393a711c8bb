/** The weights and quotas that operators set for clients. */
import type { MigrationBuilder } from 'node-pg-migrate'

export const down = false

export function up(pgm: MigrationBuilder): void {
  // The index has only the clients with settings: they are read at each change, and may
  // be few among very many.
  pgm.sql(`
    ALTER TABLE client
      ADD COLUMN weight integer NOT NULL DEFAULT 1 CONSTRAINT client_weight CHECK (weight BETWEEN 1 AND 100),
      ADD COLUMN max_events_per_s double precision
        CONSTRAINT client_max_events_per_s CHECK (max_events_per_s > 0 AND max_events_per_s <= 1e9),
      ADD COLUMN max_bytes_per_s double precision
        CONSTRAINT client_max_bytes_per_s CHECK (max_bytes_per_s > 0 AND max_bytes_per_s <= 1e12),
      ADD COLUMN over_quota text NOT NULL DEFAULT 'delay' CONSTRAINT client_over_quota CHECK (over_quota IN ('delay', 'reject'));
    CREATE INDEX client_rules ON client (name) WHERE weight <> 1 OR max_events_per_s IS NOT NULL OR max_bytes_per_s IS NOT NULL;
  `)
  // NOT VALID: the existing rows satisfy the narrower list, and need not be read again.
  pgm.sql(`
    ALTER TABLE rejection DROP CONSTRAINT rejection_reason;
    ALTER TABLE rejection ADD CONSTRAINT rejection_reason CHECK (reason IN (
      'not-json', 'not-an-object', 'missing-field', 'invalid-field', 'unknown-client', 'unknown-event-type',
      'schema-violation', 'over-quota', 'conflict', 'unstorable', 'too-large', 'too-deep')) NOT VALID;
  `)
}
