/**
 * How much a worker takes at once. Each system shows these settings under its own
 * heading.
 *
 * Units   in the names: _MS milliseconds, _BYTES bytes.
 */
import type { Values } from '../config/environment.js'
import type { Settings } from '../config/setting.js'

export const INTAKE_SETTINGS = {
  POLLERS: {
    type: 'integer',
    default: 10,
    minimum: 1,
    maximum: 200,
    description: 'Receives under way at once per worker, 10 messages each'
  },
  BATCH_MAX_MESSAGES: {
    type: 'integer',
    default: 1_000,
    minimum: 1,
    maximum: 10_000,
    description: 'Most messages in one commit'
  },
  BATCH_MAX_BYTES: {
    type: 'integer',
    default: 8_388_608,
    minimum: 1_024,
    maximum: 268_435_456,
    description: 'Most bytes of message bodies in one commit'
  },
  BATCH_LINGER_MS: {
    type: 'integer',
    default: 20,
    minimum: 0,
    maximum: 10_000,
    description: 'How long a busy worker lets a batch fill; with little to do it commits at once'
  },
  IN_FLIGHT_MAX_MESSAGES: {
    type: 'integer',
    default: 3_000,
    minimum: 10,
    maximum: 100_000,
    description:
      'Messages in flight (received, not yet settled) per worker at which receiving pauses'
  },
  IN_FLIGHT_MAX_BYTES: {
    type: 'integer',
    default: 67_108_864,
    minimum: 1_048_576,
    maximum: 4_294_967_296,
    description: 'The same limit in bytes of message bodies'
  }
} as const satisfies Settings

export interface IntakeConfig {
  readonly pollers: number
  readonly batch: {
    readonly maxMessages: number
    readonly maxBytes: number
    readonly lingerMs: number
  }
  readonly maxInFlightMessages: number
  readonly maxInFlightBytes: number
}

export function readIntake(values: Values<typeof INTAKE_SETTINGS>): IntakeConfig {
  return {
    pollers: values.POLLERS,
    batch: {
      maxMessages: values.BATCH_MAX_MESSAGES,
      maxBytes: values.BATCH_MAX_BYTES,
      lingerMs: values.BATCH_LINGER_MS
    },
    maxInFlightMessages: values.IN_FLIGHT_MAX_MESSAGES,
    maxInFlightBytes: values.IN_FLIGHT_MAX_BYTES
  }
}
