/**
 * `npm start`: embedded services, processor and fake producers together, until Ctrl-C.
 * Settings: .env-template.
 */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () => (await import('../../internal/lab/stack/stack.js')).createStack(process.env))
