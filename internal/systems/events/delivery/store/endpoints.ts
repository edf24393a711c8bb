/**
 * The port to endpoints for people: register them, look at them, switch them off and on,
 * replace their secrets.
 *
 * Shapes  secrets and headers come and go sealed; nothing here opens them.
 * Errors  what people can correct is an outcome; StoreError for everything else. Each
 *         call is one transaction.
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
  /** Since when no attempt has succeeded. */
  readonly failingSince: Date | null
  /** Until when it is left alone; null also when that is over. */
  readonly pausedUntil: Date | null
  /** Those that sign, the newest first. */
  readonly secrets: readonly EndpointSecret[]
  /** Deliveries that it is owed. */
  readonly pending: number
  readonly oldestPendingAt: Date | null
  /** Deliveries that are given up. */
  readonly dead: number
}

export interface EndpointSecret {
  readonly createdAt: Date
  /** Null for the one that replaced the others. */
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

/**
 * What is sealed is bound to the endpoint's number, which is known when its row is
 * written.
 */
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
  /** When those before it end, the newest first. */
  readonly before: readonly Date[]
  /** Secrets that have ended at once, because too many would be in force. */
  readonly ended: number
}

/** A secret, or the headers, of an endpoint. */
export interface SealedValue {
  readonly endpointId: number
  readonly client: string
  readonly field: 'secret' | 'headers'
  /** Of the row that holds it. */
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
  /** Enabled or not, with what is sealed: to send something to it. */
  findSealed(id: number): Promise<SealedEndpoint | null>
  /** Its failures and pauses are forgotten, also when it was enabled and paused. */
  enable(id: number): Promise<'changed' | 'unchanged' | 'missing'>
  disable(id: number, reason: string | null): Promise<'changed' | 'unchanged' | 'missing'>
  /**
   * Adds a secret; those before it end after `graceMs`, or earlier where that was decided
   * before. Null: there is no such endpoint.
   */
  rotateSecret(id: number, seal: SealFor, graceMs: number): Promise<RotatedSecret | null>
  /** What other keys than this one have sealed, in the order of the endpoints. */
  sealedByOthers(keyId: string): Promise<readonly SealedValue[]>
  /** False when the value is another one by now, or gone. */
  reseal(value: SealedValue, sealed: Sealed): Promise<boolean>
}

/** Secrets in force beside the newest one. */
export const MAX_SECRETS_BEFORE = 2
