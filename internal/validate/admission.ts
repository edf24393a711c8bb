/**
 * Decides whether a schema that somebody registers may judge events: it must be JSON, within the limits, and compile.
 *
 * Errors  none leave here: a refusal says where and why.
 */
import { type CompiledSchema, compileSchema } from './schema-compiler.js'

export type Admission =
  | { readonly kind: 'admitted'; readonly check: CompiledSchema['check'] }
  /** `pointer` is a JSON pointer into the schema. */
  | { readonly kind: 'refused'; readonly pointer: string; readonly message: string }

export function admitSchema(text: string): Admission {
  let schema: unknown
  try {
    schema = JSON.parse(text)
  } catch {
    return { kind: 'refused', pointer: '', message: 'the schema is not JSON' }
  }
  const outcome = compileSchema(schema)
  if (outcome.kind === 'problem') return { kind: 'refused', pointer: outcome.pointer, message: outcome.message }
  return { kind: 'admitted', check: outcome.check }
}
