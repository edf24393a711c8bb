/**
 * Draws db-example.png from the rows of the database in use: `npm run db-example`, while
 * `npm start` runs. Settings: .env-template.
 */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/lab/db-example/db-example.js')).createDbExample(
    process.env,
    process.argv.slice(2)
  )
)
