/**
 * The endpoints of clients, the deliveries to each of them, and how far the sender has
 * read.
 */
import type { MigrationBuilder } from 'node-pg-migrate'

export const down = false

export function up(pgm: MigrationBuilder): void {
  pgm.sql(`
    CREATE TABLE endpoint (
      id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      fk_client_name varchar(100) COLLATE "C" NOT NULL REFERENCES client (name),
      url text NOT NULL,
      event_types text[] CHECK (cardinality(event_types) > 0),
      state text NOT NULL DEFAULT 'enabled' CHECK (state IN ('enabled', 'disabled-by-operator', 'disabled-by-failure')),
      disabled_reason text,
      disabled_at timestamptz,
      is_ordered boolean NOT NULL DEFAULT false,
      max_concurrency integer NOT NULL DEFAULT 10 CHECK (max_concurrency BETWEEN 1 AND 1000),
      max_per_s double precision CHECK (max_per_s > 0 AND max_per_s <= 1e6),
      timeout_ms integer NOT NULL DEFAULT 15000 CHECK (timeout_ms BETWEEN 100 AND 60000),
      headers_key_id text,
      sealed_headers bytea,
      created_at timestamptz NOT NULL DEFAULT now(),
      failing_since timestamptz,
      paused_until timestamptz,
      circuit_opened integer NOT NULL DEFAULT 0,
      CHECK ((state = 'enabled') = (disabled_at IS NULL)),
      CHECK ((headers_key_id IS NULL) = (sealed_headers IS NULL))
    );
    CREATE INDEX endpoint_client ON endpoint (fk_client_name);

    CREATE TABLE endpoint_secret (
      id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      endpoint_id integer NOT NULL REFERENCES endpoint ON DELETE CASCADE,
      key_id text NOT NULL,
      sealed_secret bytea NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz
    );
    CREATE INDEX endpoint_secret_endpoint ON endpoint_secret (endpoint_id);
  `)
  // No foreign key from a delivery to its message: it would cost 4 µs of server CPU per
  // row, and the one statement that makes deliveries reads message itself. A finished
  // delivery leaves the partial index, so the index is as long as the backlog.
  pgm.sql(`
    CREATE TABLE delivery (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      endpoint_id integer NOT NULL REFERENCES endpoint,
      fk_client_name varchar(100) COLLATE "C" NOT NULL,
      message_id text COLLATE "C" NOT NULL,
      state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'dead')),
      dead_reason text CHECK (dead_reason IN ('schedule-ended', 'endpoint-disabled', 'message-gone')),
      attempts integer NOT NULL DEFAULT 0,
      schedule_began_after integer NOT NULL DEFAULT 0,
      next_attempt_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT now(),
      finished_at timestamptz,
      CONSTRAINT delivery_once UNIQUE (fk_client_name, message_id, endpoint_id),
      CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL)),
      CHECK ((state = 'dead') = (dead_reason IS NOT NULL))
    ) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);
    CREATE INDEX delivery_due ON delivery (endpoint_id, next_attempt_at, id) WHERE state = 'pending';
    CREATE INDEX delivery_dead ON delivery (endpoint_id, id) WHERE state = 'dead';

    CREATE TABLE delivery_attempt (
      delivery_id bigint NOT NULL,
      attempt integer NOT NULL CHECK (attempt > 0),
      started_at timestamptz NOT NULL,
      duration_ms integer NOT NULL,
      status smallint,
      error_class text,
      response text,
      PRIMARY KEY (delivery_id, attempt)
    );
  `)
  // The sender starts reading here. Events stored earlier are delivered only on request
  // (admin deliveries backfill).
  pgm.sql(`
    CREATE TABLE sender_cursor (
      only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
      tx xid8 NOT NULL,
      fk_client_name text COLLATE "C" NOT NULL,
      message_id text COLLATE "C" NOT NULL
    );
    INSERT INTO sender_cursor (tx, fk_client_name, message_id) VALUES (pg_current_xact_id(), '', '');
  `)
}
