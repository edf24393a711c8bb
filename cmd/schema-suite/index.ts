/** `npm run schema-suite -- DIR`: the official JSON Schema test suite against the compiler of payload schemas. Options: --help. */
import { main } from '../../internal/lifecycle/main.js'

await main(async () => (await import('../../internal/schema-suite/schema-suite.js')).createSchemaSuite(process.argv.slice(2)))
