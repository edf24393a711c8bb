/**
 * What an operator has set for clients (table `client`), as the intake asks for it; both
 * answers are looked up per message.
 */
export interface ClientRules {
  /** How large a client's turn is, next to others'; 1 where nothing is set. */
  weightOf(client: string): number
  /** Whether any client has a quota: while none has, nobody is asked. */
  readonly hasQuotas: boolean
  quotaOf(client: string): Quota | null
}

/** This worker's share of what a client may send. */
export interface Quota {
  readonly maxEventsPerS: number | null
  readonly maxBytesPerS: number | null
  readonly overQuota: QuotaPolicy
}

/** What becomes of an event beyond its client's quota. */
export type QuotaPolicy = 'delay' | 'reject'
