/**
 * The port to endpoints for people: register, list, disable and enable them, and replace
 * their secrets. Each call is one transaction.
 *
 * Shapes  secrets and headers come and go sealed; nothing here opens them.
 * Errors  an outcome for what people can correct; StoreError for everything else.
 */
import type { Sealed } from '../sealed.js'
import type { EndpointState, SealedEndpoint } from './deliveries.js'

export interface EndpointRecord {
  readonly id: number
  readonly client: string
  readonly url: string
  /** Null: all of them. */
  readonly eventTypes: readonly string[] | null
  readonly state: EndpointState
  readonly disabledReason: string | null
  readonly disabledAt: Date | null
  readonly isOrdered: boolean
  readonly maxConcurrency: number
  readonly maxPerSecond: number | null
  readonly timeoutMs: number
  readonly hasHeaders: boolean
  readonly createdAt: Date
  /**
   * When the first attempt after the last success failed; null: the endpoint is not
   * failing.
   */
  readonly failingSince: Date | null
  /** When its pause ends; null: it is not paused. */
  readonly pausedUntil: Date | null
  /** The secrets in force, newest first. */
  readonly secrets: readonly EndpointSecret[]
  /** Its pending deliveries. */
  readonly pending: number
  readonly oldestPendingAt: Date | null
  /** Its dead deliveries. */
  readonly dead: number
}

export interface EndpointSecret {
  readonly createdAt: Date
  /** Null for the newest one. */
  readonly expiresAt: Date | null
}

export interface NewEndpoint {
  readonly client: string
  readonly url: string
  readonly eventTypes: readonly string[] | null
  readonly isOrdered: boolean
  /** Null: the table's default. */
  readonly maxConcurrency: number | null
  readonly maxPerSecond: number | null
  readonly timeoutMs: number | null
}

/** Seals for the endpoint's number, which is known only once its row is written. */
export type SealFor = (
  endpointId: number,
  client: string
) => { readonly secret: Sealed; readonly headers: Sealed | null }

export type AddEndpointOutcome =
  | { readonly kind: 'added'; readonly id: number }
  | { readonly kind: 'unknown-client' }
  | { readonly kind: 'unknown-event-type'; readonly eventType: string }

export interface RotatedSecret {
  readonly client: string
  /** When the earlier secrets end, newest first. */
  readonly before: readonly Date[]
  /** How many secrets ended at once, because too many would be in force. */
  readonly ended: number
}

/** An endpoint's secret, or its headers. */
export interface SealedValue {
  readonly endpointId: number
  readonly client: string
  readonly field: 'secret' | 'headers'
  /** The row that holds it. */
  readonly rowId: number
  readonly sealed: Sealed
}

export interface EndpointFilter {
  readonly client: string | null
  readonly state: EndpointState | null
}

export interface Endpoints {
  add(endpoint: NewEndpoint, seal: SealFor): Promise<AddEndpointOutcome>
  /** In the order in which they were added. */
  list(filter: EndpointFilter): Promise<readonly EndpointRecord[]>
  find(id: number): Promise<EndpointRecord | null>
  /** For sending to it, enabled or not. */
  findSealed(id: number): Promise<SealedEndpoint | null>
  /** Forgets its failures and pauses, also when it was enabled and paused. */
  enable(id: number): Promise<'changed' | 'unchanged' | 'missing'>
  disable(id: number, reason: string | null): Promise<'changed' | 'unchanged' | 'missing'>
  /**
   * Adds a secret. Earlier ones end after `graceMs`, or when they would have ended
   * anyway, if that is sooner. Null: there is no such endpoint.
   */
  rotateSecret(id: number, seal: SealFor, graceMs: number): Promise<RotatedSecret | null>
  /** What other keys than this one have sealed, ordered by endpoint. */
  sealedByOthers(keyId: string): Promise<readonly SealedValue[]>
  /** False when the value has changed meanwhile, or is gone. */
  reseal(value: SealedValue, sealed: Sealed): Promise<boolean>
}

/** How many secrets may be in force besides the newest. */
export const MAX_SECRETS_BEFORE = 2
