/**
 * What the bench of the sender works with: a real sender and a real recipient in
 * processes of their own, endpoints, and events written straight to the table.
 *
 * Units   milliseconds.
 */
import { randomBytes } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { listenHere } from '../../engine/http/listen.js'
import { EMBEDDED_AWS } from '../../engine/queue/sqs/settings.js'
import { SECRET_FIELD } from '../../systems/events/delivery/endpoint.js'
import { parseKeyRing } from '../../systems/events/delivery/sealed.js'
import { newSecret } from '../../systems/events/delivery/secret.js'
import { BuiltProgram, inheritedFrom } from '../programs/built-program.js'
import { eventually } from '../programs/eventually.js'
import type { Bench } from './run-scenario.js'

export const EVENT_TYPE = 'sender-bench'

export interface SenderBed {
  readonly recipient: { readonly program: BuiltProgram; readonly origin: string }
  /** Accepts connections and never answers. */
  readonly silentOrigin: string
  startSender(): Promise<BuiltProgram>
  /** Empties the tables, and makes an endpoint for each client of the list. */
  reset(
    endpoints: readonly {
      readonly client: string
      readonly url: string
      readonly timeoutMs?: number
    }[]
  ): Promise<void>
  /** Stores `each` events per client, in transactions of a thousand. */
  store(clients: readonly string[], each: number): Promise<void>
  close(): Promise<void>
}

/** About as large as the events of the other benches. */
const INSERT_EVENTS = `
INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message)
SELECT client, $2, $3 || '-' || n,
       json_build_object('name', 'somebody', 'n', n,
                         'note', repeat('as large as most events are ', 9))
FROM unnest($1::text[]) AS client, generate_series($4::int, $5::int) AS n`
const ROWS_PER_TRANSACTION = 1_000

export async function createSenderBed({
  services,
  directory,
  env,
  options
}: Bench): Promise<SenderBed> {
  const { db, dbConnection, aws } = services
  const keyText = `bench:${randomBytes(32).toString('base64')}`
  const keys = parseKeyRing(keyText)
  const secret = newSecret()
  const recipient = new BuiltProgram({
    name: 'recipient',
    args: ['--secret', secret, '--port', '0', '--quiet'],
    env: inheritedFrom(env),
    directory
  })
  const { url } = await recipient.said('listening')
  const held = new Set<Socket>()
  const silent = createServer(socket => {
    held.add(socket)
    socket.on('error', () => undefined).on('close', () => held.delete(socket))
  })
  const { origin: silentOrigin } = await listenHere(silent)
  let stored = 0
  const senderEnv = {
    ...inheritedFrom(env),
    DB_CONNECTION: dbConnection,
    QUEUE_NAME: 'unused',
    AWS_ENDPOINT: aws.endpoint,
    AWS_REGION: EMBEDDED_AWS.region,
    AWS_ACCESS_KEY_ID: EMBEDDED_AWS.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: EMBEDDED_AWS.credentials.secretAccessKey,
    SENDER_SECRET_KEYS: keyText,
    SENDER_ALLOW_HTTP: 'yes',
    SENDER_ALLOW_ADDRESSES: '127.0.0.0/8',
    SENDER_METRICS_PORT: '0',
    SENDER_WORKERS: String(options.workers)
  }
  return {
    recipient: { program: recipient, origin: String(url) },
    silentOrigin,
    async startSender() {
      const sender = new BuiltProgram({ name: 'sender', env: senderEnv, directory })
      await sender.said('sending')
      return sender
    },
    async reset(endpoints) {
      await db.query(
        'TRUNCATE message, rejection, endpoint, endpoint_secret, delivery, delivery_attempt'
      )
      await db.query(
        "UPDATE sender_cursor SET tx = pg_current_xact_id(), fk_client_name = '', message_id = ''"
      )
      await db.query('INSERT INTO event_type (name) VALUES ($1) ON CONFLICT DO NOTHING', [
        EVENT_TYPE
      ])
      for (const { client, url: to, timeoutMs = 5_000 } of endpoints) {
        await db.query('INSERT INTO client (name) VALUES ($1) ON CONFLICT DO NOTHING', [client])
        const { rows } = await db.query<{ id: number }>(
          'INSERT INTO endpoint (fk_client_name, url, timeout_ms) VALUES ($1, $2, $3) RETURNING id',
          [client, to, timeoutMs]
        )
        const id = rows[0]?.id ?? 0
        const { keyId, box } = keys.seal(secret, {
          clientId: client,
          endpointId: String(id),
          field: SECRET_FIELD
        })
        await db.query(
          'INSERT INTO endpoint_secret (endpoint_id, key_id, sealed_secret) VALUES ($1, $2, $3)',
          [id, keyId, box]
        )
      }
    },
    async store(clients, each) {
      const run = stored++
      const step = Math.max(1, Math.floor(ROWS_PER_TRANSACTION / clients.length))
      for (let from = 1; from <= each; from += step)
        await db.query(INSERT_EVENTS, [
          clients,
          EVENT_TYPE,
          `run-${run}`,
          from,
          Math.min(each, from + step - 1)
        ])
    },
    async close() {
      await recipient.end()
      for (const socket of held) socket.destroy()
      await new Promise(resolve => silent.close(resolve))
    }
  }
}

/** Waits until `isTrue`, looking every `everyMs`; rejects after `withinMs`. */
export async function untilTrue(
  what: string,
  isTrue: () => Promise<boolean>,
  withinMs: number,
  everyMs = 100
): Promise<void> {
  if ((await eventually(isTrue, withinMs, everyMs)) === null)
    throw new Error(`not within ${withinMs / 1_000} s: ${what}`)
}
