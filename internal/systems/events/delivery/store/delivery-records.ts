/**
 * The port to deliveries for people: which there are, what became of each attempt, and
 * making or reviving them in bulk.
 *
 * Units   milliseconds; the database's clock decides.
 * Errors  StoreError.
 */
export const DELIVERY_STATES = ['pending', 'delivered', 'dead'] as const
export type DeliveryState = (typeof DELIVERY_STATES)[number]

export const DEAD_REASONS = ['schedule-ended', 'endpoint-disabled', 'message-gone'] as const
export type DeadReason = (typeof DEAD_REASONS)[number]

/** Conditions that must all hold; null = no condition. */
export interface DeliveryFilter {
  readonly ids: readonly string[] | null
  readonly client: string | null
  readonly endpointId: number | null
  readonly eventType: string | null
  readonly state: DeliveryState | null
  readonly reason: DeadReason | null
  /** Made then or later. */
  readonly since: Date | null
}

export interface DeliveryRecord {
  readonly id: string
  readonly endpointId: number
  readonly client: string
  readonly messageId: string
  /** Null when the event's row is gone. */
  readonly eventType: string | null
  readonly state: DeliveryState
  readonly deadReason: DeadReason | null
  readonly attempts: number
  /**
   * The earliest, with the endpoint's pause; null also where an endpoint takes its
   * deliveries in order: then it is due when it is the first.
   */
  readonly nextAttemptAt: Date | null
  readonly createdAt: Date
  readonly finishedAt: Date | null
}

/** One attempt, as it was recorded. */
export interface AttemptRecord {
  readonly deliveryId: string
  readonly attempt: number
  readonly startedAt: Date
  readonly durationMs: number
  /** Of the answer; null: there was none, and `errorClass` says why. */
  readonly status: number | null
  readonly errorClass: string | null
  /** The beginning of the answer, or more about the error. */
  readonly response: string | null
}

export interface EventKey {
  readonly clientId: string
  readonly messageId: string
}

/** A place in the order of endpoints and their deliveries; opaque to the caller. */
export type DeliveryPlace = readonly [endpointId: number, deliveryId: string]

export interface RedrivePage {
  readonly filter: DeliveryFilter
  /**
   * The database's time at which this redrive began: what has died since is left to the
   * next one.
   */
  readonly startedAt: string
  readonly after: DeliveryPlace | null
  readonly maxRows: number
}

/** A place in the order in which events were committed; opaque to the caller. */
export type EventPlace = readonly [tx: string, client: string, messageId: string]

export interface BackfillPage {
  readonly endpointId: number
  /** Null: every type that the endpoint takes. */
  readonly eventType: string | null
  readonly since: Date
  readonly until: Date | null
  readonly after: EventPlace
  readonly maxRows: number
  /** False: only counted. */
  readonly isMade: boolean
}

export interface MovedPage<Place> {
  /** Deliveries made or moved; those that would be, where nothing is written. */
  readonly deliveries: number
  /** Null: there are no more. */
  readonly last: Place | null
}

export interface DeliveryRecords {
  /** The newest first. */
  list(filter: DeliveryFilter, limit: number): Promise<readonly DeliveryRecord[]>
  /**
   * What is pending and what is dead; what is delivered is not counted, for it is
   * everything there ever was.
   */
  count(filter: DeliveryFilter): Promise<Readonly<Record<'pending' | 'dead', number>>>
  /** In the order of the deliveries and their attempts. */
  attempts(deliveryIds: readonly string[]): Promise<readonly AttemptRecord[]>
  /**
   * The newest first, as far as they can be found without looking at all that was ever
   * delivered.
   */
  lastAttempts(endpointId: number, limit: number): Promise<readonly AttemptRecord[]>
  /** Those of these events, by endpoint. */
  ofEvents(keys: readonly EventKey[]): Promise<readonly DeliveryRecord[]>

  /** The database's time. */
  now(): Promise<string>
  /**
   * Dead ones that could be moved, and those that cannot because their endpoint is
   * disabled.
   */
  countRedrivable(
    filter: DeliveryFilter
  ): Promise<{ readonly movable: number; readonly ofDisabled: number }>
  /**
   * Makes dead deliveries of enabled endpoints pending again, with the whole schedule
   * before them.
   */
  redrive(page: RedrivePage): Promise<MovedPage<DeliveryPlace>>
  /** The place in front of the first event that was stored then or later. */
  placeBefore(since: Date): Promise<EventPlace>
  /**
   * Makes deliveries of stored events that the sender has passed and that have none for
   * this endpoint. Null: it is not enabled.
   */
  backfill(page: BackfillPage): Promise<MovedPage<EventPlace> | null>
}
