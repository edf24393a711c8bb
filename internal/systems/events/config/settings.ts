/**
 * The events system's own settings.
 *
 * Units   in the names: _MS milliseconds, _BYTES bytes.
 */
import { CLUSTER_SETTINGS } from '../../../engine/cluster/settings.js'
import { defineSettings, PORT } from '../../../engine/config/setting.js'
import { INTAKE_SETTINGS } from '../../../engine/intake/settings.js'
import { SENDER_SETTINGS } from './sender-settings.js'

export const PROCESSOR_SETTINGS = defineSettings('Processor', {
  WORKERS: {
    type: 'integer',
    minimum: 1,
    maximum: 256,
    description: 'Worker processes; default: the available cores'
  },
  ...INTAKE_SETTINGS,
  METRICS_HOST: CLUSTER_SETTINGS.METRICS_HOST,
  METRICS_PORT: {
    ...PORT,
    default: 9464,
    description: 'Port of /metrics, /livez and /readyz; 0 picks a free one'
  },
  SHUTDOWN_TIMEOUT_MS: CLUSTER_SETTINGS.SHUTDOWN_TIMEOUT_MS
})

export const PRODUCERS_SETTINGS = defineSettings('Producers', {
  PRODUCERS_FAKE_TIMEOUT: {
    type: 'integer',
    default: 100,
    minimum: 1,
    maximum: 3_600_000,
    description: 'Milliseconds between two rounds of the fake producers'
  }
})

/** In the order in which people read them. */
export const EVENTS_SETTINGS = [PROCESSOR_SETTINGS, SENDER_SETTINGS, PRODUCERS_SETTINGS] as const
