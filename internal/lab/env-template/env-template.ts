/**
 * `npm run env-template`: rewrites `.env-template` and the tables of the settings page
 * after a setting has changed.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Service } from '../../engine/lifecycle/service.js'
import { formatEnvTemplate, formatTables, replaceBetween } from './format.js'
import { SETTING_GROUPS } from './groups.js'

const PAGE = 'internal/docs/settings.md'

export function createEnvTemplate(): Service {
  return {
    run() {
      writeFileSync('.env-template', formatEnvTemplate(SETTING_GROUPS))
      const page = readFileSync(PAGE, 'utf8')
      writeFileSync(PAGE, replaceBetween(page, formatTables(SETTING_GROUPS)))
      return Promise.resolve()
    }
  }
}
