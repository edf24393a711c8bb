/**
 * `npm run schema-suite -- DIR`: runs the official JSON Schema test suite against the
 * compiler of payload schemas. Options: --help.
 */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/lab/schema-suite/schema-suite.js')).createSchemaSuite(
    process.argv.slice(2)
  )
)
