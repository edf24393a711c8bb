/** `npm start`: embedded services, processor and fake producers together, until Ctrl-C. Settings: .env-template. */
import { main } from '../../internal/lifecycle/main.js'

await main(async () => (await import('../../internal/app/stack.js')).createStack(process.env))
