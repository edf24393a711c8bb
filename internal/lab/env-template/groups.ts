/** All settings of all programs, in the order in which people read them. */
import type { SettingGroup } from '../../engine/config/setting.js'
import { EMBEDDED_SETTINGS } from '../../engine/embedded/settings.js'
import { LOG_SETTINGS } from '../../engine/observe/settings.js'
import { DATABASE_SETTINGS } from '../../engine/postgres/settings.js'
import { SQS_SETTINGS } from '../../engine/queue/sqs/settings.js'
import { SYSTEMS } from '../../systems/systems.js'
import { TEST_SETTINGS } from './test-settings.js'

export const SETTING_GROUPS: readonly SettingGroup[] = [
  SQS_SETTINGS,
  DATABASE_SETTINGS,
  ...SYSTEMS.flatMap(({ settings }) => settings),
  EMBEDDED_SETTINGS,
  LOG_SETTINGS,
  TEST_SETTINGS
]
