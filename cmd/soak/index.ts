/**
 * `npm run soak`: a steady load for an hour, and whether memory, handles and latency stay
 * where they are. Options: --help.
 */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/lab/soak/soak.js')).createSoak(process.env, process.argv.slice(2))
)
