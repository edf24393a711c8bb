/**
 * Rejections, dead letters and single events, for people (--help). Settings:
 * .env-template.
 */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/systems/admin.js')).createAdmin(process.env, process.argv.slice(2))
)
