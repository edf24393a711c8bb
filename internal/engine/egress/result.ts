/** How an attempt ended, in the terms of its record. */
import type { ErrorClass } from './failure.js'

export type PostResult =
  | {
      readonly kind: 'answered'
      readonly status: number
      /** What `Retry-After` asks for, whatever the status. */
      readonly retryAfterMs?: number
      /** The beginning of the body, as text that PostgreSQL can hold. */
      readonly responseHead: string
      readonly ms: number
    }
  | {
      readonly kind: 'failed'
      readonly errorClass: ErrorClass
      /** For people: a code, or what was refused. */
      readonly detail: string
      readonly ms: number
    }
