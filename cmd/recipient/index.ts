/**
 * A recipient to try deliveries with: checks signatures and prints what came (--help).
 * Settings: .env-template.
 */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/systems/events/recipient/program.js')).createRecipient(
    process.env,
    process.argv.slice(2)
  )
)
