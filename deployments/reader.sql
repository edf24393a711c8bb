-- A role that reads only the rows of one client in `message` and `rejection`, for the
-- client's own developers. Run it like roles.sql, after `node dist/cmd/migrate`, once for
-- each reader; repeating it is safe. A reader that gets several clients, one run each,
-- sees the rows of all of them.
--
--   psql "$ADMIN_CONNECTION" -v reader=acme_reader -v reader_password=... \
--     -v client=client-1 -f deployments/reader.sql
--
-- The first run turns on row-level security. It restricts only members of
-- event_process_reader, whatever else they are granted; owners, superusers and all other
-- roles see what they saw before. From then on, a role that makes dumps and is not the
-- owner needs BYPASSRLS.
-- Readers see no deliveries, endpoints or secrets, not even those of their own client:
-- attempts carry no client's name, and each answer would need a lookup of the delivery.
-- Operators answer with `admin trace CLIENT MESSAGE_ID --json`.
-- No reader sees rejections whose body names no existing client. PostgreSQL does not hide
-- how many rows all clients have together: its catalogs and EXPLAIN tell every role.
-- To remove a reader:
--
--   DELETE FROM client_reader WHERE role_name = 'acme_reader';
--   DROP OWNED BY acme_reader; DROP ROLE acme_reader;
\set ON_ERROR_STOP on
BEGIN;

-- Waiting long for a lock here would make everybody else wait too.
SET LOCAL lock_timeout = '3s';
SET LOCAL event_process.reader = :'reader';
DO $$
BEGIN
  -- Where roles.sql put the tables, or else where this connection finds them.
  IF to_regclass('event_process.message') IS NOT NULL THEN SET LOCAL search_path = event_process; END IF;
END $$;

SELECT 'CREATE ROLE event_process_reader NOLOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'event_process_reader') \gexec
SELECT format('CREATE ROLE %I LOGIN CONNECTION LIMIT 5 PASSWORD %L', :'reader', :'reader_password')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'reader') \gexec

DO $$
DECLARE
  reader CONSTANT name := current_setting('event_process.reader');
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = reader AND (rolsuper OR rolbypassrls))
     OR EXISTS (SELECT FROM pg_class WHERE oid = 'message'::regclass AND pg_has_role(reader, relowner, 'MEMBER')) THEN
    RAISE EXCEPTION 'row-level security does not hold %: it is a superuser, may bypass it, or can become the owner of the tables', reader;
  ELSIF has_table_privilege(reader, 'message', 'INSERT') THEN
    RAISE EXCEPTION '% adds rows for all clients: give the reader a role of its own', reader;
  END IF;
  IF NOT (SELECT relrowsecurity FROM pg_class WHERE oid = 'client_reader'::regclass) THEN
    -- No other policy can widen a restrictive one; what it leaves, grants decide alone.
    CREATE POLICY granted ON message USING (true);
    CREATE POLICY granted ON rejection USING (true);
    CREATE POLICY granted ON client_reader USING (true);
    CREATE POLICY own ON client_reader AS RESTRICTIVE TO event_process_reader USING (role_name = current_user);
    CREATE POLICY own_client ON message AS RESTRICTIVE TO event_process_reader
      USING (fk_client_name = ANY (ARRAY(SELECT client FROM client_reader WHERE role_name = current_user)));
    -- The first condition finds rows by the index, which has the first 100 characters of
    -- names.
    CREATE POLICY own_client ON rejection AS RESTRICTIVE TO event_process_reader
      USING (left(client_name, 100) COLLATE "C" = ANY (ARRAY(SELECT client FROM client_reader WHERE role_name = current_user))
             AND client_name COLLATE "C" = ANY (ARRAY(SELECT client FROM client_reader WHERE role_name = current_user)));
    ALTER TABLE message ENABLE ROW LEVEL SECURITY;
    ALTER TABLE rejection ENABLE ROW LEVEL SECURITY;
    ALTER TABLE client_reader ENABLE ROW LEVEL SECURITY;
    GRANT SELECT ON message, rejection, client_reader TO event_process_reader;
  END IF;
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO event_process_reader', current_schema());
  IF NOT pg_has_role(reader, 'event_process_reader', 'MEMBER') THEN
    EXECUTE format('GRANT event_process_reader TO %I', reader);
  END IF;
  EXECUTE format('ALTER ROLE %I SET search_path = %I', reader, current_schema());
  -- A snapshot held for hours keeps PostgreSQL from removing dead rows, for everybody.
  EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', reader, '5min');
  EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', reader, '5min');
END $$;

INSERT INTO client_reader (role_name, client) VALUES (:'reader', :'client') ON CONFLICT DO NOTHING;

COMMIT;
