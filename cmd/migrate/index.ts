/**
 * Brings the tables of all systems up to date and ends; safe while programs run.
 * Settings: .env-template.
 */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/systems/migrate.js')).createMigrate(process.env)
)
