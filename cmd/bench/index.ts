/**
 * `npm run bench`: measures the processor against simpler consumers and its own limits.
 * Options: --help.
 */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/lab/bench/bench.js')).createBench(
    process.env,
    process.argv.slice(2)
  )
)
