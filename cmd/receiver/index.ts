/** A recipient to try deliveries with: checks signatures and says what came (--help). Settings: .env-template. */
import { main } from '../../internal/lifecycle/main.js'

await main(async () => (await import('../../internal/app/receiver.js')).createReceiver(process.env, process.argv.slice(2)))
