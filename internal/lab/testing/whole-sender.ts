/**
 * A sender on a database of its own, with the real poster: endpoints on loopback are
 * allowed.
 *
 * Shapes  a test's options in, the parts out; everything ends with the test.
 */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { Dispatcher } from '../../engine/dispatch/dispatcher.js'
import type { Lanes } from '../../engine/dispatch/lanes.js'
import {
  installLanes,
  openPgBossLanes,
  type PgBossLanes
} from '../../engine/dispatch/pg-boss-lanes.js'
import { createAddressRules, parseAllowList } from '../../engine/egress/address.js'
import { createPoster, type Poster } from '../../engine/egress/post.js'
import { createResolve } from '../../engine/egress/resolve.js'
import type { PostResult } from '../../engine/egress/result.js'
import { systemClock as clock } from '../../engine/lifecycle/clock.js'
import {
  createDeliveryDispatch,
  type DeliveryObserver
} from '../../systems/events/delivery/dispatch.js'
import {
  type Endpoint,
  openEndpoint,
  SECRET_FIELD
} from '../../systems/events/delivery/endpoint.js'
import { type KeyRing, parseKeyRing } from '../../systems/events/delivery/sealed.js'
import { newSecret } from '../../systems/events/delivery/secret.js'
import type { Deliveries, DueDelivery } from '../../systems/events/delivery/store/deliveries.js'
import { LANES_SCHEMA, laneData } from '../../systems/events/delivery/store/endpoint-lanes.js'
import { createPostgresDeliveries } from '../../systems/events/delivery/store/postgres-deliveries.js'
import { createTestDatabase } from './database.js'
import { SILENT_OBSERVER } from './silent-observer.js'

export interface WholeSender {
  readonly pool: pg.Pool
  readonly connectionString: string
  readonly keys: KeyRing
  readonly deliveries: Deliveries
  readonly lanes: PgBossLanes
  start(over?: Partial<TestSenderSettings>): TestSender
  addEndpoint(
    url: string,
    values?: EndpointValues
  ): Promise<{ readonly id: number; readonly secret: string }>
  store(...ids: readonly string[]): Promise<void>
  /** Adds a new client, so that tests on one database do not interfere. */
  addClient(): Promise<TestClient>
}

export interface TestClient {
  readonly name: string
  addEndpoint(
    url: string,
    values?: Omit<EndpointValues, 'client'>
  ): Promise<{ readonly id: number; readonly secret: string }>
  /** One transaction per call. */
  store(...ids: readonly string[]): Promise<void>
}

export type TestSender = Dispatcher<Endpoint, DueDelivery, PostResult>

export interface TestSenderSettings {
  readonly schedule: readonly number[]
  readonly disableAfterMs: number
  readonly maxLanes: number
  readonly observer: Partial<DeliveryObserver>
  /** Wraps the parts that the sender works with. */
  readonly between: (parts: SenderParts) => SenderParts
}

export interface SenderParts {
  readonly deliveries: Deliveries
  readonly lanes: Lanes
  readonly post: Poster['post']
}

export interface EndpointValues {
  readonly client?: string
  readonly eventTypes?: readonly string[]
  readonly isOrdered?: boolean
  readonly maxConcurrency?: number
  readonly maxPerSecond?: number
  readonly timeoutMs?: number
}

interface Test {
  teardown(fn: () => Promise<void>): void
  fail(message: string): void
}

export interface WholeSenderOptions {
  /** A migrated database; by default the test creates one. */
  readonly connectionString?: string
  /** Faults fail the test, unless it causes them. */
  readonly onFault?: (message: string) => void
  readonly keys?: KeyRing
}

export async function createWholeSender(
  t: Test,
  options: WholeSenderOptions = {}
): Promise<WholeSender> {
  const { onFault = (message: string) => t.fail(message) } = options
  const connectionString =
    options.connectionString ?? (await createTestDatabase(t)).connectionString
  const pool = new pg.Pool({ connectionString, max: 8 })
  // As in the program's own pool: a session may end at any time.
  pool.on('error', () => undefined)
  pool.on('connect', client => client.on('error', () => undefined))
  const keys = options.keys ?? parseKeyRing(`test:${randomBytes(32).toString('base64')}`)
  await installLanes(pool, LANES_SCHEMA)
  const lanes = await openPgBossLanes({
    pool,
    schema: LANES_SCHEMA,
    dataOf: laneData,
    lostAfterS: 30,
    onError: error => onFault(`background: ${error.message}`)
  })
  const deliveries = createPostgresDeliveries(pool, lanes.wake)
  const senders: TestSender[] = []
  const posters: Poster[] = []
  t.teardown(async () => {
    await Promise.all(senders.map(sender => sender.stop(5_000, () => undefined)))
    await Promise.all(posters.map(poster => poster.close()))
    await lanes.close()
    await pool.end()
  })
  const storeFor = async (client: string, ids: readonly string[]): Promise<void> => {
    await pool.query(
      `INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message)
       SELECT $1, 'user-app', id, json_build_object('n', id) FROM unnest($2::text[]) id`,
      [client, ids]
    )
  }
  const whole: WholeSender = {
    pool,
    connectionString,
    keys,
    deliveries,
    lanes,
    start({
      schedule = [50, 50],
      disableAfterMs = 3_600_000,
      maxLanes = 20,
      observer: over = {},
      between = (parts: SenderParts): SenderParts => parts
    } = {}) {
      const observer: DeliveryObserver = {
        ...SILENT_OBSERVER,
        fannedOut: () => undefined,
        ended: () => undefined,
        failed: (step, error) => onFault(`${step}: ${String(error)}`),
        ...over
      }
      const poster = createPoster({
        rules: {
          allowHttp: true,
          addresses: createAddressRules(parseAllowList('127.0.0.0/8').list)
        },
        resolve: createResolve(),
        clock,
        connectTimeoutMs: 2_000,
        connectionsPerOrigin: 50,
        maxOrigins: 100,
        maxRetryAfterMs: 60_000
      })
      const parts = between({ deliveries, lanes, post: post => poster.post(post) })
      const sender = new Dispatcher({
        dispatch: createDeliveryDispatch({
          deliveries: parts.deliveries,
          post: parts.post,
          open: endpoint => openEndpoint(endpoint, keys),
          observer
        }),
        lanes: parts.lanes,
        clock,
        random: Math.random,
        schedule,
        disableAfterMs,
        maxLanes,
        renewEveryMs: 10_000,
        observer
      })
      senders.push(sender)
      posters.push(poster)
      return sender
    },
    async addEndpoint(
      url,
      {
        client = 'client-1',
        eventTypes,
        isOrdered = false,
        maxConcurrency = 10,
        maxPerSecond,
        timeoutMs = 5_000
      } = {}
    ) {
      const { rows } = await pool.query<{ id: number }>(
        `INSERT INTO endpoint (fk_client_name, url, event_types, is_ordered, max_concurrency, max_per_s, timeout_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
        [
          client,
          url,
          eventTypes ?? null,
          isOrdered,
          maxConcurrency,
          maxPerSecond ?? null,
          timeoutMs
        ]
      )
      const id = rows[0]?.id ?? 0
      const secret = newSecret()
      const { keyId, box } = keys.seal(secret, {
        clientId: client,
        endpointId: String(id),
        field: SECRET_FIELD
      })
      await pool.query(
        'INSERT INTO endpoint_secret (endpoint_id, key_id, sealed_secret) VALUES ($1, $2, $3)',
        [id, keyId, box]
      )
      return { id, secret }
    },
    store: (...ids) => storeFor('client-1', ids),
    async addClient() {
      const name = `tenant-${randomBytes(4).toString('hex')}`
      await pool.query('INSERT INTO client (name) VALUES ($1)', [name])
      return {
        name,
        addEndpoint: (url, values) => whole.addEndpoint(url, { ...values, client: name }),
        store: (...ids) => storeFor(name, ids)
      }
    }
  }
  return whole
}
