/** What the events' system registers. */
import type { System } from '../../engine/program/system.js'
import { EVENTS_SETTINGS } from './config/settings.js'
import { EVENTS_MIGRATIONS } from './store/migrations.js'

export const EVENTS: System = {
  name: 'events',
  settings: EVENTS_SETTINGS,
  migrations: EVENTS_MIGRATIONS,
  async installLibraries(connectionString, limits) {
    const { installSenderLanes } = await import('./app/install-lanes.js')
    await installSenderLanes(connectionString, limits)
  },
  usesQueue: true,
  programs: [
    { name: 'processor', portSetting: 'METRICS_PORT' },
    { name: 'recipient', portSetting: null },
    { name: 'sender', portSetting: 'SENDER_METRICS_PORT' },
    { name: 'producers', portSetting: null }
  ],
  loadAdmin: async () => (await import('./app/admin.js')).EVENTS_ADMIN
}
