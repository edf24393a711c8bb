/**
 * Holds the compiled payload schemas that are active or in shadow, and finds those for an
 * event.
 *
 * A client's own active schema for an event type takes precedence over the general one
 * (client null). A shadow version checks the events that it would judge if it were
 * active: a client's own version the events of that client, a general one those of every
 * client without an active schema of its own.
 *
 * Units   maxCached counts compiled schemas; equal hashes share one. Schemas no longer
 *         active or in shadow are forgotten. Only the newest MAX_SHADOWS shadow versions
 *         of a place count.
 * Limits  rows may be older than the limits of registration, or inserted with SQL. An
 *         active version beyond the limits still judges, and is reported: a limit must
 *         not let events be stored unchecked. A shadow version beyond them checks
 *         nothing.
 * Errors  nothing throws. `replace` reports a schema that does not compile or is one too
 *         many. If it is active, its place keeps the last version that did compile. If
 *         there was none, for example after a restart, events meet the general schema or
 *         none: refusing them all would reject good events for our mistake, and the
 *         report makes it visible.
 */
import { findObjection } from './admission.js'
import { type CompiledSchema, compileSchema, type SchemaProblem } from './schema-compiler.js'

/**
 * A row of `event_schema` that is not retired; at most one per (client, event type) is
 * active.
 */
export interface RegisteredSchema {
  readonly id: number
  readonly eventType: string
  /** null = every client that has no active schema of its own for this event type. */
  readonly clientId: string | null
  readonly version: number
  readonly state: 'shadow' | 'active'
  /** Equal hashes mean equal schemas. */
  readonly hash: string
  readonly schema: unknown
}

export interface RegisteredSchemaProblem {
  /** A sentence for the schema's author. */
  readonly message: string
  readonly eventType: string
  readonly clientId: string | null
  readonly version: number
  readonly state: 'shadow' | 'active'
  /** Whether it is in force nevertheless. */
  readonly isInForce: boolean
}

/** A version that judges events. */
export interface SchemaInForce {
  readonly id: number
  readonly check: CompiledSchema['check']
}

/** A version that checks events but judges none. */
export interface ShadowSchema extends SchemaInForce {
  /**
   * For people and counters: `monitor-app/client-1/2`; an asterisk means every client.
   */
  readonly label: string
}

/** The schemas that an event's payload meets. */
export interface SchemasForEvent {
  readonly active: SchemaInForce | null
  readonly shadows: readonly ShadowSchema[]
}

export interface PayloadSchemas {
  /** Makes `registered` the whole set; returns the problems with it. */
  replace(registered: readonly RegisteredSchema[]): readonly RegisteredSchemaProblem[]
  find(clientId: string, eventType: string): SchemasForEvent | null
}

/** Per (client, event type). Each costs as much as the active schema. */
export const MAX_SHADOWS = 3

/** What is known of one schema text. */
interface Judged {
  readonly outcome: CompiledSchema | SchemaProblem
  /** Why registration would refuse it now; null if it would not. */
  readonly objection: string | null
}

type Places = Map<string | null, Map<string, SchemasForEvent>>

const NO_SHADOWS: readonly ShadowSchema[] = []

export function createPayloadSchemas({
  maxCached = 1_000
}: {
  readonly maxCached?: number
} = {}): PayloadSchemas {
  let known = new Map<string, Judged>()
  let places: Places = new Map()

  return {
    replace(registered) {
      const nextKnown: typeof known = new Map()
      const next: Places = new Map()
      const problems: RegisteredSchemaProblem[] = []
      const held = new Set<CompiledSchema['check']>()
      const hold = (check: CompiledSchema['check']): boolean => {
        if (held.size < maxCached) held.add(check)
        return held.has(check)
      }
      for (const row of inOrder(registered)) {
        const { id, eventType, clientId, version, state, hash, schema } = row
        const { active = null, shadows = NO_SHADOWS } = next.get(clientId)?.get(eventType) ?? {}
        const report = (message: string, isInForce = false): void =>
          void problems.push({ message, eventType, clientId, version, state, isInForce })
        if (state === 'shadow' && shadows.length >= MAX_SHADOWS) {
          report(`only the newest ${MAX_SHADOWS} shadow versions are in force`)
          continue
        }
        let judged = nextKnown.get(hash) ?? known.get(hash)
        if (!judged && held.size < maxCached) judged = judge(schema)
        if (judged) nextKnown.set(hash, judged)
        const { outcome, objection = null } = judged ?? {}
        if (state === 'shadow' && outcome?.kind === 'compiled' && objection !== null) {
          report(objection)
          continue
        }
        if (outcome?.kind === 'compiled' && hold(outcome.check)) {
          const { check } = outcome
          if (objection !== null) report(objection, true)
          if (state === 'active') put(next, clientId, eventType, { active: { id, check }, shadows })
          else
            put(next, clientId, eventType, {
              active,
              shadows: [...shadows, { id, check, label: labelOf(row) }]
            })
          continue
        }
        report(
          outcome?.kind === 'problem'
            ? outcome.message
            : `more than ${maxCached} schemas are in force`
        )
        const last = state === 'active' ? places.get(clientId)?.get(eventType)?.active : null
        // The general schema may have been in force here: only a client's own is kept.
        if (last && isOwn(places, clientId, eventType) && hold(last.check))
          put(next, clientId, eventType, { active: last, shadows })
      }
      fillFromGeneral(next)
      known = nextKnown
      places = next
      return problems
    },

    find(clientId, eventType) {
      return places.get(clientId)?.get(eventType) ?? places.get(null)?.get(eventType) ?? null
    }
  }
}

function judge(schema: unknown): Judged {
  const outcome = compileSchema(schema)
  if (outcome.kind === 'problem') return { outcome, objection: null }
  const objection = findObjection(schema)
  return {
    outcome,
    objection:
      objection && `${objection.pointer === '' ? '' : `${objection.pointer}: `}${objection.message}`
  }
}

/** Active versions first, so that they are among those held; then the newest shadows. */
function inOrder(registered: readonly RegisteredSchema[]): readonly RegisteredSchema[] {
  const rank = ({ state, version }: RegisteredSchema): number =>
    state === 'active' ? -Number.MAX_SAFE_INTEGER : -version
  return registered.toSorted((a, b) => rank(a) - rank(b))
}

function labelOf({ eventType, clientId, version }: RegisteredSchema): string {
  return `${eventType}/${clientId ?? '*'}/${version}`
}

function put(
  places: Places,
  clientId: string | null,
  eventType: string,
  schemas: SchemasForEvent
): void {
  const byEventType = places.get(clientId) ?? new Map<string, SchemasForEvent>()
  places.set(clientId, byEventType.set(eventType, schemas))
}

function isOwn(places: Places, clientId: string | null, eventType: string): boolean {
  return (
    clientId === null ||
    places.get(clientId)?.get(eventType)?.active !== places.get(null)?.get(eventType)?.active
  )
}

/**
 * If a client has only shadow versions of its own, the general schema still judges its
 * events, and the general shadow versions check them.
 */
function fillFromGeneral(places: Places): void {
  for (const [clientId, byEventType] of places) {
    if (clientId === null) continue
    for (const [eventType, { active, shadows }] of byEventType) {
      const general = places.get(null)?.get(eventType)
      if (active === null && general)
        byEventType.set(eventType, {
          active: general.active,
          shadows: [...shadows, ...general.shadows]
        })
    }
  }
}
