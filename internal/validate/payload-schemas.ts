/**
 * Holds the compiled payload schemas that are active and finds the one for an event.
 *
 * Shapes  a client's own schema for an event type wins over the type's general one (client null).
 * Units   maxCached counts compiled schemas; equal hashes share one. Schemas no longer active are forgotten.
 * Errors  nothing throws. An active schema that does not compile, or that is one too many, is reported by `replace`; its place keeps the
 *         last version that did compile. Where there was none (after a restart, say), the place stays empty: events then meet the general
 *         schema or none. Refusing them all would lose good events to a mistake of ours, and the report makes it visible.
 */
import { type CompiledSchema, compileSchema, type SchemaProblem } from './schema-compiler.js'

/** An active row of `event_schema`; at most one for each (client, event type). */
export interface ActiveSchema {
  readonly eventType: string
  /** null = every client that has no schema of its own for this event type. */
  readonly clientId: string | null
  readonly version: number
  /** Equal hashes mean equal schemas. */
  readonly hash: string
  readonly schema: unknown
}

export interface ActiveSchemaProblem extends SchemaProblem {
  readonly eventType: string
  readonly clientId: string | null
  readonly version: number
}

export interface PayloadSchemas {
  /** Compiles without activating, as registration does before it accepts a schema. */
  compile(schema: unknown): CompiledSchema | SchemaProblem
  /** Makes `active` the whole set of active schemas, and tells which of them are not in force. */
  replace(active: readonly ActiveSchema[]): readonly ActiveSchemaProblem[]
  find(clientId: string, eventType: string): CompiledSchema | null
}

type ByEventType = Map<string, CompiledSchema>

export function createPayloadSchemas({ maxCached = 1_000 }: { readonly maxCached?: number } = {}): PayloadSchemas {
  let outcomes = new Map<string, CompiledSchema | SchemaProblem>()
  let inForce = new Map<string | null, ByEventType>()

  return {
    compile: compileSchema,

    replace(active) {
      const nextOutcomes: typeof outcomes = new Map()
      const nextInForce: typeof inForce = new Map()
      const problems: ActiveSchemaProblem[] = []
      const held = new Set<CompiledSchema>()
      const hold = (compiled: CompiledSchema): boolean => {
        if (held.size < maxCached) held.add(compiled)
        return held.has(compiled)
      }
      for (const { eventType, clientId, version, hash, schema } of active) {
        let outcome = nextOutcomes.get(hash) ?? outcomes.get(hash)
        if (!outcome && held.size < maxCached) outcome = compileSchema(schema)
        if (outcome) nextOutcomes.set(hash, outcome)
        if (outcome?.kind === 'compiled' && hold(outcome)) {
          put(nextInForce, clientId, eventType, outcome)
          continue
        }
        const message = outcome?.kind === 'problem' ? outcome.message : `more than ${maxCached} schemas are active`
        problems.push({ kind: 'problem', message, eventType, clientId, version })
        const last = inForce.get(clientId)?.get(eventType)
        if (last && hold(last)) put(nextInForce, clientId, eventType, last)
      }
      outcomes = nextOutcomes
      inForce = nextInForce
      return problems
    },

    find(clientId, eventType) {
      return inForce.get(clientId)?.get(eventType) ?? inForce.get(null)?.get(eventType) ?? null
    }
  }
}

function put(inForce: Map<string | null, ByEventType>, clientId: string | null, eventType: string, compiled: CompiledSchema): void {
  const byEventType = inForce.get(clientId) ?? new Map<string, CompiledSchema>()
  inForce.set(clientId, byEventType.set(eventType, compiled))
}
