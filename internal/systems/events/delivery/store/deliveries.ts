/**
 * The port to what is owed to endpoints: made from stored events, due, attempted, done.
 *
 * A delivery is the duty to send one message to one endpoint. It is `pending` until an
 * attempt succeeds (`delivered`) or nothing more is tried (`dead`). Lanes (lanes.ts) say
 * which process works for an endpoint; here is what it finds and what it leaves.
 *
 * Units   milliseconds; the database's clock decides what is due.
 * Errors  StoreError.
 */

import type { Sealed } from '../sealed.js'

/** An enabled endpoint, with what is secret still sealed. */
export interface SealedEndpoint {
  readonly id: number
  readonly client: string
  readonly url: string
  /** One delivery at a time, in the order in which the events were committed. */
  readonly isOrdered: boolean
  readonly maxConcurrency: number
  /** Attempts per second; null: no limit. */
  readonly maxPerSecond: number | null
  readonly timeoutMs: number
  /** The newest first; more than one while a secret is being replaced. */
  readonly sealedSecrets: readonly Sealed[]
  readonly sealedHeaders: Sealed | null
  /** Since when no attempt has succeeded; null: the last one did, or there was none. */
  readonly failingForMs: number | null
  /** How often its circuit has opened since then. */
  readonly circuitOpened: number
}

export interface DueDelivery {
  readonly id: string
  /** Attempts so far. */
  readonly attempts: number
  /**
   * Those of them that belong to the schedule under way: a redriven delivery begins anew.
   */
  readonly scheduled: number
  readonly messageId: string
  readonly eventType: string
  /** The payload's text as it was sent. */
  readonly payload: string
  /** When the event was stored, since 1970. */
  readonly receivedAtMs: number
}

/** What became of one attempt, and so of its delivery. */
export interface Outcome {
  readonly deliveryId: string
  /** Numbered from 1. */
  readonly attempt: number
  readonly startedAtMs: number
  readonly durationMs: number
  readonly status: number | null
  readonly errorClass: string | null
  /** The beginning of what the endpoint answered. */
  readonly response: string | null
  readonly then: Then
}

export type Then =
  | { readonly state: 'delivered' }
  | { readonly state: 'dead' }
  | { readonly state: 'pending'; readonly retryInMs: number }

export interface FanOut {
  /** Events read: as many as were asked for when there may be more. */
  readonly events: number
  readonly deliveries: number
}

/** What is owed at the moment. */
export interface Backlog {
  readonly pending: number
  readonly dead: number
  /** 0 when nothing is due. */
  readonly oldestDueS: number
  /** 0 when the fan-out has read all. */
  readonly lagS: number
  readonly endpoints: Readonly<Record<EndpointState, number>>
}

export const ENDPOINT_STATES = ['enabled', 'disabled-by-operator', 'disabled-by-failure'] as const
export type EndpointState = (typeof ENDPOINT_STATES)[number]

/** A change of an endpoint that its attempts have caused. */
export type EndpointChange =
  | { readonly kind: 'healthy' }
  | { readonly kind: 'failing'; readonly forMs: number }
  | { readonly kind: 'paused'; readonly forMs: number; readonly circuitOpened: number }
  | { readonly kind: 'disabled'; readonly reason: string }

export interface Deliveries {
  /**
   * Makes the deliveries of the next events in commit order, and calls the lanes of their
   * endpoints, all in the transaction that moves the cursor. Null when another process is
   * at it.
   */
  fanOut(maxEvents: number): Promise<FanOut | null>
  /**
   * Calls the lane of each endpoint that has something due, whether or not it was called
   * before. The number of such endpoints.
   */
  callDue(): Promise<number>
  /**
   * Ends some of what disabled endpoints were still owed. The number of deliveries that
   * are dead by it.
   */
  endDisabled(maxDeliveries: number): Promise<number>
  /** Null when it is not enabled, or paused. */
  endpoint(id: number): Promise<SealedEndpoint | null>
  /**
   * What is due for an endpoint, the longest due first, but for those that are at work
   * already.
   */
  due(
    endpointId: number,
    limit: number,
    exceptIds: readonly string[]
  ): Promise<readonly DueDelivery[]>
  /**
   * Records attempts and moves their deliveries on. An attempt that was recorded before
   * changes nothing.
   */
  settle(outcomes: readonly Outcome[]): Promise<void>
  change(endpointId: number, change: EndpointChange): Promise<void>
  /** Counts, and so reads, all that is pending or dead. */
  backlog(): Promise<Backlog>
}
