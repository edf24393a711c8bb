/**
 * Receives, validates and stores every client's events until SIGINT or SIGTERM. Settings:
 * .env-template.
 */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/systems/events/app/processor.js')).createProcessor(process.env)
)
