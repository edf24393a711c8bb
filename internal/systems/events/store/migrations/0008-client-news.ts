/**
 * Notifies the processors when a client is added or removed, or its settings change.
 */
import type { MigrationBuilder } from 'node-pg-migrate'

export const down = false

export function up(pgm: MigrationBuilder): void {
  pgm.sql(`
    CREATE FUNCTION client_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_notify('client', '');
      RETURN NULL;
    END $$;
    CREATE TRIGGER client_changed
      AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF name, weight, max_events_per_s, max_bytes_per_s, over_quota ON client
      FOR EACH STATEMENT EXECUTE FUNCTION client_changed();
  `)
}
