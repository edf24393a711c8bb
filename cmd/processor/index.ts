/** Receives, validates and stores every client's events until SIGINT or SIGTERM. Settings: .env-template. */
import { main } from '../../internal/lifecycle/main.js'

await main(async () => (await import('../../internal/app/processor.js')).createProcessor(process.env))
