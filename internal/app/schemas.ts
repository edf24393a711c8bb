/** Keeps a worker's compiled payload schemas in step with `event_schema`: a change is in force within two seconds, without a restart. */
import type { Clock } from '../lifecycle/clock.js'
import type { Log } from '../observe/log.js'
import { createActiveSchemas } from '../store/postgres-schemas.js'
import { createPayloadSchemas, type PayloadSchemas } from '../validate/payload-schemas.js'
import { untilItWorks } from './until-it-works.js'

const LOOK_EVERY_MS = 2_000

export interface FollowSchemasOptions {
  readonly connectionString: string
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/** Resolves once the schemas are known, so that no event is judged without them; follows them until `signal` aborts. */
export async function followSchemas({ connectionString, clock, log, signal }: FollowSchemasOptions): Promise<PayloadSchemas> {
  const source = createActiveSchemas(connectionString)
  const schemas = createPayloadSchemas()
  let cancel = (): void => undefined
  signal.addEventListener('abort', () => {
    cancel()
    void source.close()
  })

  const look = async (): Promise<void> => {
    const active = await source.readChanged()
    if (active === null) return
    for (const problem of schemas.replace(active)) log.error(problem, 'payload schema not in force')
    if (active.length > 0) log.info({ schemas: active.length }, 'payload schemas in force')
  }
  const again = (): void => {
    cancel = clock.after(LOOK_EVERY_MS, () => {
      // A failed look changes nothing: the schemas in force stay, and the database's trouble is reported where it is felt.
      void look()
        .catch((error: unknown) => log.debug({ reason: String(error) }, 'payload schemas not read'))
        .finally(() => {
          if (!signal.aborted) again()
        })
    })
  }

  await untilItWorks('read the payload schemas', look, { clock, random: Math.random, signal, log })
  if (!signal.aborted) again()
  return schemas
}
