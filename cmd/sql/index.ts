/**
 * Runs one SQL statement on the database in use: `npm run sql -- "SELECT count(*) FROM
 * message"`. Settings: .env-template.
 */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/systems/sql.js')).createSql(process.env, process.argv.slice(2))
)
