/**
 * Sends events to the queue: three fake producers, or a load generator (--help).
 * Settings: .env-template.
 */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/systems/events/app/producers.js')).createProducers(
    process.env,
    process.argv.slice(2)
  )
)
