/**
 * Keeps a worker's compiled payload schemas in step with `event_schema`, without a restart.
 *
 * A change is heard at once (LISTEN). A look every LOOK_EVERY_MS is the net below that; after a failed one, or a lost connection, the next
 * comes soon. Meanwhile the schemas in force stay.
 */
import type { Clock } from '../lifecycle/clock.js'
import type { Log } from '../observe/log.js'
import { backoffMs } from '../retry/backoff.js'
import { createSchemaSource } from '../store/postgres-schemas.js'
import { createPayloadSchemas, type PayloadSchemas } from '../validate/payload-schemas.js'
import { untilItWorks } from './until-it-works.js'

const LOOK_EVERY_MS = 30_000
const RETRY = { baseMs: 100, maxMs: 5_000 }

export interface FollowSchemasOptions {
  readonly connectionString: string
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/** Resolves once the schemas are known, so that no event is judged without them; follows them until `signal` aborts. */
export async function followSchemas({ connectionString, clock, log, signal }: FollowSchemasOptions): Promise<PayloadSchemas> {
  const source = createSchemaSource({ connectionString, onNews: () => lookSoon() })
  const schemas = createPayloadSchemas()
  let cancel = (): void => undefined
  let isLooking = true
  let isNewsWaiting = false
  let failures = 0
  let hasAny = false
  signal.addEventListener('abort', () => {
    cancel()
    void source.close()
  })

  const look = async (): Promise<void> => {
    const registered = await source.readChanged()
    if (registered === null) return
    for (const problem of schemas.replace(registered)) {
      log.error(problem, problem.isInForce ? 'payload schema in force that registration would refuse' : 'payload schema not in force')
    }
    const active = registered.filter(({ state }) => state === 'active').length
    if (registered.length > 0 || hasAny) log.info({ active, shadow: registered.length - active }, 'payload schemas in force')
    hasAny = registered.length > 0
  }

  const lookAgain = async (): Promise<void> => {
    cancel()
    isLooking = true
    isNewsWaiting = false
    try {
      await look()
      failures = 0
    } catch (error) {
      // It changes nothing: the schemas in force stay, and the database's trouble is reported where it is felt.
      failures += 1
      log.debug({ reason: String(error) }, 'payload schemas not read')
    }
    isLooking = false
    wait()
  }

  const wait = (): void => {
    if (signal.aborted) return
    const inMs = failures > 0 ? backoffMs(failures, RETRY, Math.random) : isNewsWaiting ? 0 : LOOK_EVERY_MS
    cancel = clock.after(inMs, () => void lookAgain())
  }

  const lookSoon = (): void => {
    isNewsWaiting = true
    if (isLooking || signal.aborted || failures > 0) return
    void lookAgain()
  }

  await untilItWorks('read the payload schemas', look, { clock, random: Math.random, signal, log })
  isLooking = false
  wait()
  return schemas
}
