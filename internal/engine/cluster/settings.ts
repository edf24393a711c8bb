/**
 * The settings of every cluster. A system shows them under its own heading; each program
 * has a port setting of its own.
 */
import type { Settings } from '../config/setting.js'

export const CLUSTER_SETTINGS = {
  METRICS_HOST: {
    type: 'string',
    default: '127.0.0.1',
    description: 'Address that /metrics, /livez and /readyz listen on; 0.0.0.0 in a container'
  },
  SHUTDOWN_TIMEOUT_MS: {
    type: 'integer',
    default: 25_000,
    minimum: 100,
    maximum: 600_000,
    description: 'Longest drain after SIGTERM or SIGINT'
  }
} as const satisfies Settings
