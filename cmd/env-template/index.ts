/**
 * `npm run env-template`: rewrites `.env-template` and the tables of the settings page.
 */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/lab/env-template/env-template.js')).createEnvTemplate()
)
