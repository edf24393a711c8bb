/**
 * What an operator has set for clients (table `client`). The intake looks up both answers
 * for each message.
 */
export interface ClientRules {
  /** A client's share of turns relative to others; 1 if nothing is set. */
  weightOf(client: string): number
  /** Whether any client has a quota. If none has, `quotaOf` is not called. */
  readonly hasQuotas: boolean
  quotaOf(client: string): Quota | null
}

/** This worker's share of what a client may send. */
export interface Quota {
  readonly maxEventsPerS: number | null
  readonly maxBytesPerS: number | null
  readonly overQuota: QuotaPolicy
}

/** What happens to an event over its client's quota. */
export type QuotaPolicy = 'delay' | 'reject'
