/**
 * Payload schemas get an id, a life cycle that only goes forward, a hash that the
 * database computes, and a notification to the workers at each change.
 */
import type { MigrationBuilder } from 'node-pg-migrate'

export const down = false

export function up(pgm: MigrationBuilder): void {
  // No foreign key from message: it would cost 4 µs of server CPU per row. Null means
  // that no schema was active when the row was accepted.
  pgm.sql(`
    ALTER TABLE event_schema
      ADD COLUMN id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT event_schema_pkey PRIMARY KEY,
      ADD COLUMN activated_at timestamptz,
      ADD COLUMN activated_by text,
      ADD COLUMN retired_at timestamptz;
    ALTER TABLE message ADD COLUMN event_schema_id integer;
  `)
  // The canonical text is that of jsonb, which cannot hold U+0000: a schema with U+0000
  // is hashed as it is written.
  pgm.sql(`
    CREATE FUNCTION event_schema_hash(schema json) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN
      RETURN encode(sha256(convert_to(schema::jsonb::text, 'UTF8')), 'hex');
    EXCEPTION WHEN data_exception THEN
      RETURN encode(sha256(convert_to(schema::text, 'UTF8')), 'hex');
    END $$;
    UPDATE event_schema SET hash = event_schema_hash(schema),
      activated_at = CASE WHEN state = 'active' THEN created_at END,
      retired_at = CASE WHEN state = 'retired' THEN created_at END;
    ALTER TABLE event_schema ALTER COLUMN hash SET DEFAULT '';
  `)
  // Rows of message point to versions, so a version never changes, and one that has been
  // active is retired, not deleted.
  pgm.sql(`
    CREATE FUNCTION event_schema_life_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE' THEN
        IF OLD.activated_at IS NULL THEN RETURN OLD; END IF;
        RAISE EXCEPTION 'version % of this event schema has been active and stays: rows of message point to it', OLD.version
          USING ERRCODE = 'check_violation', CONSTRAINT = 'event_schema_life_cycle', HINT = 'Retire it instead.';
      END IF;
      IF TG_OP = 'UPDATE' THEN
        IF (NEW.id, NEW.event_type, NEW.client, NEW.version, NEW.schema::text, NEW.hash, NEW.created_at)
           IS DISTINCT FROM (OLD.id, OLD.event_type, OLD.client, OLD.version, OLD.schema::text, OLD.hash, OLD.created_at) THEN
          RAISE EXCEPTION 'version % of this event schema cannot change: rows of message point to it', OLD.version
            USING ERRCODE = 'check_violation', CONSTRAINT = 'event_schema_life_cycle', HINT = 'Add a new version.';
        END IF;
        IF NEW.state = OLD.state THEN
          NEW.activated_at := OLD.activated_at;
          NEW.activated_by := OLD.activated_by;
          NEW.retired_at := OLD.retired_at;
          RETURN NEW;
        END IF;
        IF NOT (OLD.state = 'shadow' OR (OLD.state = 'active' AND NEW.state = 'retired')) THEN
          RAISE EXCEPTION 'an event schema goes from shadow to active to retired, not from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'event_schema_life_cycle', HINT = 'Add the same schema as a new version.';
        END IF;
      ELSE
        NEW.hash := event_schema_hash(NEW.schema);
      END IF;
      IF NEW.state = 'active' THEN
        NEW.activated_at := clock_timestamp();
        NEW.activated_by := session_user;
      ELSIF NEW.state = 'retired' THEN
        NEW.retired_at := clock_timestamp();
      END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER event_schema_life_cycle BEFORE INSERT OR UPDATE OR DELETE ON event_schema
      FOR EACH ROW EXECUTE FUNCTION event_schema_life_cycle();
    CREATE FUNCTION event_schema_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_notify('event_schema', '');
      RETURN NULL;
    END $$;
    CREATE TRIGGER event_schema_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON event_schema
      FOR EACH STATEMENT EXECUTE FUNCTION event_schema_changed();
  `)
}
