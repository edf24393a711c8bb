/**
 * Classifies a failed statement, which decides what happens to its batch.
 *
 * Shapes  any thrown value in, StoreError out; a StoreError passes unchanged.
 * Errors  never throws.
 * Source  PostgreSQL manual, appendix "PostgreSQL Error Codes"; Node's system error
 *         codes.
 *
 * `data` is for faults of a row: only these may refuse an event. Classes 08, 53, 57 and
 * 58 are never `data`. An unknown failure is `transient`: a retry costs time, but
 * refusing a good event for a fault of the server could not be undone.
 */
import { StoreError, type StoreFault } from '../intake/store.js'

/** First two characters of an SQLSTATE. */
const FAULT_BY_CLASS: Readonly<Record<string, StoreFault>> = {
  '08': 'transient', // connection
  '0A': 'schema', // feature not supported: another kind of server or table than ours
  '21': 'data', // cardinality: a key twice in one statement
  '22': 'data', // data exception
  '23': 'data', // integrity constraint
  '25': 'transient', // transaction state: read-only server, idle too long
  '28': 'schema', // authorization: access is denied
  '38': 'data', // a trigger's function refuses the row
  '39': 'data',
  '3D': 'schema', // no such database
  '3F': 'schema', // no such schema
  '40': 'transient', // rollback: deadlock, serialization
  '42': 'schema', // syntax, names, access rules
  '44': 'data', // check option of a view
  '53': 'transient', // resources: disk, memory, connections
  '54': 'data', // program limits: nesting, index row size
  '55': 'transient', // object state: lock not available
  '57': 'transient', // operator: shutdown, statement cancelled
  '58': 'transient', // system: I/O
  P0: 'data', // a trigger raised an exception
  XX: 'transient' // internal error
}

const SQLSTATE = /^[0-9A-Z]{5}$/

/** Codes for errors that the driver throws without one, by their wording. */
const CODE_BY_WORDING: readonly (readonly [RegExp, string])[] = [
  [/timeout/i, 'ETIMEDOUT'],
  [/terminated|not queryable|connection error/i, 'ECONNRESET']
]

export function classify(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const message = error instanceof Error ? error.message : String(error)
  const code = codeOf(error, message)
  // Five capitals may also be a system error (EPIPE), but no SQLSTATE class starts with
  // E.
  const fault = SQLSTATE.test(code) ? FAULT_BY_CLASS[code.slice(0, 2)] : undefined
  return new StoreError(fault ?? 'transient', code, message === '' ? code : message, error)
}

function codeOf(error: unknown, message: string): string {
  const code: unknown =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  if (typeof code === 'string' && code !== '') return code
  return CODE_BY_WORDING.find(([wording]) => wording.test(message))?.[1] ?? 'unknown'
}

/** For `catch`: makes the promise reject with a StoreError. */
export function rethrowClassified(error: unknown): never {
  throw classify(error)
}
