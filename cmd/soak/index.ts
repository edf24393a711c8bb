/**
 * `npm run soak`: puts a steady load on the processor for an hour, and checks that
 * memory, handles and latency stay stable. Options: --help.
 */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/lab/soak/soak.js')).createSoak(process.env, process.argv.slice(2))
)
