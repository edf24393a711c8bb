/** `npm run chaos`: breaks everything around the processor while events flow, and proves that none is lost. Options: --help. */
import { main } from '../../internal/lifecycle/main.js'

await main(async () => (await import('../../internal/chaos/chaos.js')).createChaos(process.env, process.argv.slice(2)))
