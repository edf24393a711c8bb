/**
 * Brings the database's tables up to date and ends; safe beside running processors.
 * Settings: .env-template.
 */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/systems/events/app/migrate.js')).createMigrate(process.env)
)
