/**
 * Keeps a worker's compiled payload schemas in step with `event_schema`, without a
 * restart.
 *
 * LISTEN announces a change at once. Until it is read, the schemas in force stay.
 */

import { retryUntilDone } from '../../../engine/cluster/retry-until.js'
import { watchTable } from '../../../engine/cluster/watch-table.js'
import type { Clock } from '../../../engine/lifecycle/clock.js'
import { onAbort } from '../../../engine/lifecycle/interrupt.js'
import type { Log } from '../../../engine/observe/log.js'
import { createPayloadSchemas, type PayloadSchemas } from '../schemas/payload-schemas.js'
import { createSchemaSource } from '../store/postgres-schemas.js'

const LOOK_EVERY_MS = 30_000

export interface FollowSchemasOptions {
  readonly connectionString: string
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/**
 * Resolves once the schemas are known, so that no event is judged without them; then
 * follows them until `signal` aborts.
 */
export async function followSchemas({
  connectionString,
  clock,
  log,
  signal
}: FollowSchemasOptions): Promise<PayloadSchemas> {
  const source = createSchemaSource({ connectionString, onNews: () => watch.lookSoon() })
  const schemas = createPayloadSchemas()
  let hasAny = false
  onAbort(signal, () => void source.close())

  const look = async (): Promise<void> => {
    const registered = await source.readChanged()
    if (registered === null) return
    for (const problem of schemas.replace(registered)) {
      log.error(
        problem,
        problem.isInForce
          ? 'payload schema in force that registration would refuse'
          : 'payload schema not in force'
      )
    }
    const active = registered.filter(({ state }) => state === 'active').length
    if (registered.length > 0 || hasAny)
      log.info({ active, shadow: registered.length - active }, 'payload schemas in force')
    hasAny = registered.length > 0
  }
  const watch = watchTable({
    look,
    lookEveryMs: LOOK_EVERY_MS,
    // The schemas in force stay; the store reports the database's failure.
    onFailed: error => log.debug({ reason: String(error) }, 'payload schemas not read'),
    clock,
    signal
  })

  await retryUntilDone('read the payload schemas', look, {
    clock,
    random: Math.random,
    signal,
    log
  })
  watch.begin()
  return schemas
}
