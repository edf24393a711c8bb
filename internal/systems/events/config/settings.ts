/**
 * Every setting of every program: the one source for reading the environment, for
 * `.env-template` and for the README's table.
 *
 * Units   in the names: _MS milliseconds, _S seconds, _BYTES bytes.
 */

import { PORT, type Setting } from '../../../engine/config/setting.js'
import { SENDER_SETTINGS } from './sender-settings.js'

export const SETTINGS = {
  AWS_ACCESS_KEY_ID: {
    type: 'string',
    group: 'Queue',
    secret: true,
    description: 'Access key; absent: the AWS SDK’s standard credential chain'
  },
  AWS_SECRET_ACCESS_KEY: {
    type: 'string',
    group: 'Queue',
    secret: true,
    description: 'Secret key, together with AWS_ACCESS_KEY_ID'
  },
  AWS_SESSION_TOKEN: {
    type: 'string',
    group: 'Queue',
    secret: true,
    description: 'Session token of temporary credentials'
  },
  AWS_REGION: {
    type: 'string',
    group: 'Queue',
    pattern: '^[a-z0-9-]+$',
    shape: 'a region name such as us-east-1',
    description: 'Region of the queue; us-east-1 where AWS_ENDPOINT is given without it'
  },
  AWS_ENDPOINT: {
    type: 'string',
    group: 'Queue',
    pattern: '^https?://[^/]+/?$',
    shape: 'http(s)://host:port',
    description: 'Endpoint of LocalStack, ElasticMQ or another emulator; absent: AWS itself'
  },
  QUEUE_NAME: {
    type: 'string',
    group: 'Queue',
    pattern: '^[A-Za-z0-9_-]{1,80}$',
    shape: '1 to 80 letters, digits, hyphens and underscores (a standard queue, not FIFO)',
    description: 'Queue to create or open'
  },
  DEAD_LETTER_QUEUE_NAME: {
    type: 'string',
    group: 'Queue',
    pattern: '^[A-Za-z0-9_-]{1,80}$',
    shape: '1 to 80 letters, digits, hyphens and underscores',
    description:
      'Dead-letter queue to create or open; default: QUEUE_NAME with -dead-letters behind it'
  },
  MAX_RECEIVE_COUNT: {
    type: 'integer',
    group: 'Queue',
    default: 10,
    minimum: 1,
    maximum: 1_000,
    description:
      'Receives after which the queue moves a message to the dead-letter queue (set when the queue is created); below 4 a message that kills its process is not told from those beside it'
  },
  QUEUE_RETENTION_S: {
    type: 'integer',
    group: 'Queue',
    default: 86_400,
    minimum: 60,
    maximum: 1_209_600,
    description: 'How long the queue keeps a message (set when the queue is created)'
  },
  VISIBILITY_TIMEOUT_S: {
    type: 'integer',
    group: 'Queue',
    default: 60,
    minimum: 2,
    maximum: 43_200,
    description:
      'How long a received message stays invisible to others; extended at half of it while the message is in flight'
  },
  WAIT_TIME_S: {
    type: 'integer',
    group: 'Queue',
    default: 20,
    minimum: 0,
    maximum: 20,
    description: 'Long poll of an idle queue'
  },
  SQS_TRANSPORT: {
    type: 'string',
    group: 'Queue',
    default: 'lean',
    enum: ['lean', 'sdk'],
    description:
      'How the frequent calls are made: lean is ours and costs a fraction of the CPU, sdk is the AWS SDK alone'
  },
  DB_DRIVER: {
    type: 'string',
    group: 'Database',
    default: 'postgres',
    enum: ['postgres'],
    description: 'Database driver'
  },
  DB_CONNECTION: {
    type: 'string',
    group: 'Database',
    secret: true,
    pattern: '^postgres(ql)?://',
    shape: 'postgresql://user:password@host:5432/database?sslmode=disable',
    description:
      'Database connection string; with sslmode=verify-full&sslrootcert=FILE the server must prove who it is'
  },
  POSTGRES_USER: {
    type: 'string',
    group: 'Database',
    description: 'User of the database container (deployments/docker-compose.yaml)'
  },
  POSTGRES_PASSWORD: {
    type: 'string',
    group: 'Database',
    secret: true,
    description: 'Password of the database container'
  },
  POSTGRES_DB: {
    type: 'string',
    group: 'Database',
    description: 'Database of the database container'
  },
  STATEMENT_TIMEOUT_MS: {
    type: 'integer',
    group: 'Database',
    default: 30_000,
    minimum: 100,
    maximum: 600_000,
    description:
      'Longest statement; PostgreSQL ends it after that, and the client gives up on a silent server a little later'
  },
  LOCK_TIMEOUT_MS: {
    type: 'integer',
    group: 'Database',
    default: 5_000,
    minimum: 100,
    maximum: 600_000,
    description: 'Longest wait for a lock of another session'
  },
  DB_ALLOW_UNSAFE_DURABILITY: {
    type: 'string',
    group: 'Database',
    default: 'no',
    enum: ['no', 'yes'],
    description:
      'yes takes a server with fsync, full_page_writes or synchronous_commit off, which may lose committed events in a crash'
  },
  WORKERS: {
    type: 'integer',
    group: 'Processor',
    minimum: 1,
    maximum: 256,
    description: 'Worker processes; default: the available cores'
  },
  POLLERS: {
    type: 'integer',
    group: 'Processor',
    default: 10,
    minimum: 1,
    maximum: 200,
    description: 'Receives under way at once per worker, 10 messages each'
  },
  BATCH_MAX_MESSAGES: {
    type: 'integer',
    group: 'Processor',
    default: 1_000,
    minimum: 1,
    maximum: 10_000,
    description: 'Messages of one commit at most'
  },
  BATCH_MAX_BYTES: {
    type: 'integer',
    group: 'Processor',
    default: 8_388_608,
    minimum: 1_024,
    maximum: 268_435_456,
    description: 'Bytes of message bodies of one commit at most'
  },
  BATCH_LINGER_MS: {
    type: 'integer',
    group: 'Processor',
    default: 20,
    minimum: 0,
    maximum: 10_000,
    description: 'How long a busy worker lets a batch fill; with little to do it commits at once'
  },
  IN_FLIGHT_MAX_MESSAGES: {
    type: 'integer',
    group: 'Processor',
    default: 3_000,
    minimum: 10,
    maximum: 100_000,
    description: 'Received and not yet settled messages per worker at which receiving pauses'
  },
  IN_FLIGHT_MAX_BYTES: {
    type: 'integer',
    group: 'Processor',
    default: 67_108_864,
    minimum: 1_048_576,
    maximum: 4_294_967_296,
    description: 'The same in bytes of message bodies'
  },
  METRICS_HOST: {
    type: 'string',
    group: 'Processor',
    default: '127.0.0.1',
    description: 'Address that /metrics, /livez and /readyz listen on; 0.0.0.0 in a container'
  },
  METRICS_PORT: {
    ...PORT,
    group: 'Processor',
    default: 9464,
    description: 'Port of /metrics, /livez and /readyz; 0 takes a free one'
  },
  SHUTDOWN_TIMEOUT_MS: {
    type: 'integer',
    group: 'Processor',
    default: 25_000,
    minimum: 100,
    maximum: 600_000,
    description: 'Longest drain after SIGTERM or SIGINT'
  },
  ...SENDER_SETTINGS,
  PRODUCERS_FAKE_TIMEOUT: {
    type: 'integer',
    group: 'Producers',
    default: 100,
    minimum: 1,
    maximum: 3_600_000,
    description: 'Milliseconds between two rounds of the fake producers'
  },
  DATA_DIR: {
    type: 'string',
    group: 'Embedded services',
    default: '.data',
    description: 'Where embedded PostgreSQL and SQS keep their data'
  },
  EMBEDDED_POSTGRES_PORT: {
    ...PORT,
    group: 'Embedded services',
    default: 54_329,
    description: 'Port of embedded PostgreSQL; 0 takes a free one'
  },
  EMBEDDED_SQS_PORT: {
    ...PORT,
    group: 'Embedded services',
    default: 4_566,
    description: 'Port of embedded SQS; 0 takes a free one'
  },
  NODE_ENV: {
    type: 'string',
    group: 'Embedded services',
    default: 'development',
    enum: ['development', 'test', 'production'],
    description: 'production refuses embedded services'
  },
  LOG_LEVEL: {
    type: 'string',
    group: 'Logs',
    default: 'info',
    enum: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    description:
      'info: a line per second and per event of note; debug: a line per step of each batch; trace: a line per message'
  },
  LOG_FORMAT: {
    type: 'string',
    group: 'Logs',
    default: 'auto',
    enum: ['auto', 'json', 'pretty'],
    description: 'auto: pretty on a terminal, JSON lines elsewhere'
  },
  DB_DRIVER_TEST: {
    type: 'string',
    group: 'Tests',
    default: 'postgres',
    enum: ['postgres'],
    description: 'Driver of the test database'
  },
  DB_CONNECTION_TEST: {
    type: 'string',
    group: 'Tests',
    secret: true,
    pattern: '^postgres(ql)?://',
    shape: 'postgresql://user:password@host:5433/database?sslmode=disable',
    description: 'Server for the tests, whose user may create databases; absent: an embedded one'
  }
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof SETTINGS
