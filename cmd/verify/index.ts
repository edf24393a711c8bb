/**
 * Looks for every event of a ledger in the tables and the queues (--help). Settings:
 * .env-template.
 */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/systems/events/app/verify.js')).createVerify(
    process.env,
    process.argv.slice(2)
  )
)
