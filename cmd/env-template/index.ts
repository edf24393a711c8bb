/** `npm run env-template`: writes `.env-template` and the settings' page again. */
import { main } from '../../internal/engine/lifecycle/main.js'

await main(async () =>
  (await import('../../internal/lab/env-template/env-template.js')).createEnvTemplate()
)
