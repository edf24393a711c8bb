/**
 * `npm run chaos`: breaks everything around the processor while events flow, and proves
 * that none is lost. Options: --help.
 */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/lab/chaos/chaos.js')).createChaos(
    process.env,
    process.argv.slice(2)
  )
)
