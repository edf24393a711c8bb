/**
 * `npm start`: embedded services and the programs of all systems together, until Ctrl-C
 * (--help). Settings: .env-template.
 */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/lab/stack/stack.js')).createStack(
    process.env,
    process.argv.slice(2)
  )
)
