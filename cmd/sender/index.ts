/**
 * Delivers stored events to the endpoints of their clients until SIGINT or SIGTERM.
 * Settings: .env-template.
 */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/systems/events/app/sender.js')).createSender(process.env)
)
