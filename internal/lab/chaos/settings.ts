/**
 * The programs' settings for a chaos run. Timeouts are short, so that a minute in
 * production takes seconds here. The receive limit is beyond what kills can reach, and
 * the retry schedule outlasts every fault.
 */

import type { Environment } from '../../engine/config/environment.js'
import { EMBEDDED_AWS } from '../../engine/queue/sqs/settings.js'
import { inheritedFrom } from '../programs/built-program.js'

export const VISIBILITY_TIMEOUT_S = 4
/**
 * The emulator keeps serving a long poll whose connection is dead and gives it messages.
 * A short poll bounds how many.
 */
const WAIT_TIME_S = 1
/**
 * No valid event may end in the dead-letter queue of a chaos run, whatever happens to the
 * processes.
 */
export const MAX_RECEIVE_COUNT = 1_000
export const SHUTDOWN_TIMEOUT_MS = 10_000
const STATEMENT_TIMEOUT_MS = 2_000
const LOCK_TIMEOUT_MS = 1_000
export const POLLERS = 5
export const IN_FLIGHT_MAX_MESSAGES = 1_000
/**
 * internal/engine/postgres/settings.ts: the server ends an abandoned transaction after
 * ten seconds.
 */
export const IDLE_IN_TRANSACTION_MS = 10_000
/** The smallest value allowed. */
export const LANE_LOST_AFTER_S = 10
export const SENDER_WORKERS = 2
/** No delivery may end dead in a chaos run, whatever happens to the recipient. */
const RETRY_SCHEDULE = ['200ms', '500ms', '1s', ...Array.from({ length: 40 }, () => '2s')].join(',')
/** A hanging attempt is given up after this time. */
export const ENDPOINT_TIMEOUT_MS = 2_000

const COMMON = {
  SHUTDOWN_TIMEOUT_MS,
  STATEMENT_TIMEOUT_MS,
  LOCK_TIMEOUT_MS,
  LOG_FORMAT: 'json',
  LOG_LEVEL: 'info'
}

export interface ProcessorPlaces {
  readonly sqsEndpoint: string
  readonly dbConnection: string
  readonly queueName: string
  readonly workers: number
}

export function processorEnvironment(
  env: Environment,
  { sqsEndpoint, dbConnection, queueName, workers }: ProcessorPlaces
) {
  return environmentOf(env, {
    ...COMMON,
    VISIBILITY_TIMEOUT_S,
    WAIT_TIME_S,
    MAX_RECEIVE_COUNT,
    POLLERS,
    IN_FLIGHT_MAX_MESSAGES,
    METRICS_PORT: 0,
    DB_CONNECTION: dbConnection,
    QUEUE_NAME: queueName,
    AWS_ENDPOINT: sqsEndpoint,
    AWS_REGION: EMBEDDED_AWS.region,
    AWS_ACCESS_KEY_ID: EMBEDDED_AWS.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: EMBEDDED_AWS.credentials.secretAccessKey,
    WORKERS: workers
  })
}

/** The recipient is on this machine, as a developer's would be. */
export function senderEnvironment(
  env: Environment,
  dbConnection: string,
  queueName: string,
  secretKeys: string
) {
  return environmentOf(env, {
    ...COMMON,
    DB_CONNECTION: dbConnection,
    QUEUE_NAME: queueName,
    AWS_REGION: EMBEDDED_AWS.region,
    SENDER_SECRET_KEYS: secretKeys,
    SENDER_ALLOW_HTTP: 'yes',
    SENDER_ALLOW_ADDRESSES: '127.0.0.0/8',
    SENDER_RETRY_SCHEDULE: RETRY_SCHEDULE,
    SENDER_LANE_LOST_AFTER_S: LANE_LOST_AFTER_S,
    SENDER_WORKERS,
    SENDER_METRICS_PORT: 0
  })
}

function environmentOf(
  env: Environment,
  settings: Readonly<Record<string, string | number>>
): Record<string, string> {
  return {
    ...inheritedFrom(env, 'SQS_TRANSPORT'),
    ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]))
  }
}
