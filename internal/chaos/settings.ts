/**
 * How the processor is set up for a chaos run: short timeouts, so that what takes a minute in production takes seconds here, and a limit
 * of receives that no number of kills reaches.
 */
export const VISIBILITY_TIMEOUT_S = 4
/** The emulator goes on with a long poll whose connection is dead, and gives it messages: a short one bounds how many. */
const WAIT_TIME_S = 1
/** No valid event may end in the dead-letter queue of a chaos run, whatever happens to the processes. */
export const MAX_RECEIVE_COUNT = 1_000
export const SHUTDOWN_TIMEOUT_MS = 10_000
const STATEMENT_TIMEOUT_MS = 2_000
const LOCK_TIMEOUT_MS = 1_000
export const POLLERS = 5
export const IN_FLIGHT_MAX_MESSAGES = 1_000
/** internal/config/config.ts: a forgotten transaction is ended by the server after ten seconds. */
export const IDLE_IN_TRANSACTION_MS = 10_000

export const PROCESSOR_SETTINGS = {
  VISIBILITY_TIMEOUT_S,
  WAIT_TIME_S,
  MAX_RECEIVE_COUNT,
  SHUTDOWN_TIMEOUT_MS,
  STATEMENT_TIMEOUT_MS,
  LOCK_TIMEOUT_MS,
  POLLERS,
  IN_FLIGHT_MAX_MESSAGES,
  METRICS_PORT: 0,
  LOG_FORMAT: 'json',
  LOG_LEVEL: 'info'
} as const
