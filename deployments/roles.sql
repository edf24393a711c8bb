-- Four roles with no more rights than their work needs. Run it as a superuser, or as the
-- database's owner with CREATEROLE, before the first `node dist/cmd/migrate` and again
-- after each one; repeating it is safe:
--
--   psql "$ADMIN_CONNECTION" -v migrate_password=... -v processor_password=... \
--     -v sender_password=... -v admin_password=... -f deployments/roles.sql
--
--   event_process_migrate    owns the schema and the tables;
--                            node dist/cmd/migrate, as a step of the deployment
--   event_process_processor  reads and adds rows, changes and deletes none;
--                            node dist/cmd/processor, after the migration
--   event_process_sender     reads events, makes deliveries and records their results;
--                            node dist/cmd/sender, after the migration
--   event_process_admin      reads rows, marks rejections as redriven, adds clients, event
--                            types, schemas and endpoints, sets weights and quotas, has
--                            deliveries made or attempted again; node dist/cmd/admin
--
-- reader.sql makes roles that see the rows of one client.
\set ON_ERROR_STOP on
BEGIN;

SELECT format('CREATE ROLE event_process_migrate LOGIN PASSWORD %L', :'migrate_password')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'event_process_migrate') \gexec
SELECT format('CREATE ROLE event_process_processor LOGIN PASSWORD %L', :'processor_password')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'event_process_processor') \gexec
SELECT format('CREATE ROLE event_process_sender LOGIN PASSWORD %L', :'sender_password')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'event_process_sender') \gexec
SELECT format('CREATE ROLE event_process_admin LOGIN PASSWORD %L', :'admin_password')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'event_process_admin') \gexec

CREATE SCHEMA IF NOT EXISTS event_process AUTHORIZATION event_process_migrate;
-- pg-boss keeps the sender's jobs here. It makes and changes its tables itself, as the
-- migrating role.
CREATE SCHEMA IF NOT EXISTS event_process_jobs AUTHORIZATION event_process_migrate;
ALTER ROLE event_process_migrate SET search_path = event_process;
ALTER ROLE event_process_processor SET search_path = event_process;
ALTER ROLE event_process_sender SET search_path = event_process;
ALTER ROLE event_process_admin SET search_path = event_process;
GRANT USAGE ON SCHEMA event_process TO event_process_processor, event_process_sender, event_process_admin;
GRANT USAGE ON SCHEMA event_process_jobs TO event_process_sender;

DO $$
BEGIN
  IF to_regclass('event_process.message') IS NULL THEN
    RAISE NOTICE 'there are no tables yet: run node dist/cmd/migrate as event_process_migrate, then this file again';
    RETURN;
  END IF;
  GRANT SELECT, INSERT ON event_process.message, event_process.rejection TO event_process_processor;
  GRANT SELECT ON event_process.client, event_process.event_type, event_process.event_schema TO event_process_processor;
  -- The insert locks the rows of client and event type that it refers to (FOR KEY SHARE),
  -- and locking needs the right to update.
  GRANT UPDATE (name) ON event_process.client, event_process.event_type TO event_process_processor;
  -- The processor checks whether migrations are pending. The library asks
  -- information_schema for its table's primary key, which only roles with more than
  -- SELECT can see: REFERENCES is the least such right.
  GRANT SELECT, REFERENCES ON event_process.pgmigrations TO event_process_processor, event_process_sender;
  GRANT SELECT ON event_process.client, event_process.event_type, event_process.client_reader, event_process.message,
                  event_process.rejection TO event_process_admin;
  GRANT INSERT (name), UPDATE (disabled_at) ON event_process.client, event_process.event_type TO event_process_admin;
  GRANT UPDATE (weight, max_events_per_s, max_bytes_per_s, over_quota) ON event_process.client TO event_process_admin;
  -- Also needed to lock a row for one redrive at a time (FOR UPDATE).
  GRANT UPDATE (redriven_at) ON event_process.rejection TO event_process_admin;
  -- Registers, activates and retires schemas. The schema of a version never changes,
  -- whoever asks: a trigger refuses.
  GRANT SELECT, INSERT, UPDATE (state) ON event_process.event_schema TO event_process_admin;

  -- The sender writes an endpoint's health; the operator writes everything else. Secrets
  -- are encrypted with keys that are in no table.
  GRANT SELECT ON event_process.message, event_process.endpoint, event_process.endpoint_secret TO event_process_sender;
  GRANT UPDATE (state, disabled_reason, disabled_at, failing_since, paused_until, circuit_opened) ON event_process.endpoint
    TO event_process_sender;
  GRANT SELECT, INSERT, UPDATE ON event_process.delivery TO event_process_sender;
  GRANT SELECT, INSERT ON event_process.delivery_attempt TO event_process_sender;
  GRANT SELECT, UPDATE ON event_process.sender_cursor TO event_process_sender;
  GRANT ALL ON ALL TABLES IN SCHEMA event_process_jobs TO event_process_sender;
  GRANT ALL ON ALL SEQUENCES IN SCHEMA event_process_jobs TO event_process_sender;
  GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA event_process_jobs TO event_process_sender;

  GRANT SELECT ON event_process.endpoint, event_process.endpoint_secret, event_process.delivery, event_process.delivery_attempt,
                  event_process.sender_cursor TO event_process_admin;
  GRANT INSERT, UPDATE ON event_process.endpoint, event_process.endpoint_secret, event_process.delivery TO event_process_admin;
  -- A secret that has expired is deleted, not kept.
  GRANT DELETE ON event_process.endpoint_secret TO event_process_admin;
END $$;

COMMIT;
