/** The old name of the program `recipient`; the next release removes it. */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/systems/events/recipient/program.js')).createRecipient(
    process.env,
    process.argv.slice(2)
  )
)
