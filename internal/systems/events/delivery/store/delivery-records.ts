/**
 * The port to deliveries for people: list them and their attempts, and make or redrive
 * them in bulk.
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
  /** Created at this time or later. */
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
   * The earliest time, the endpoint's pause included. Null also for an ordered endpoint:
   * there a delivery is due when it comes first.
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
  /** Null: there was no answer, and `errorClass` says why. */
  readonly status: number | null
  readonly errorClass: string | null
  /** The beginning of the answer, or details of the error. */
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
   * When this redrive began, by the database's clock. Deliveries that die later are left
   * to the next one.
   */
  readonly startedAt: string
  readonly after: DeliveryPlace | null
  readonly maxRows: number
}

/** A place in the order in which events were committed; opaque to the caller. */
export type EventPlace = readonly [tx: string, client: string, messageId: string]

export interface BackfillPage {
  readonly endpointId: number
  /** Null: every type that the endpoint wants. */
  readonly eventType: string | null
  readonly since: Date
  readonly until: Date | null
  readonly after: EventPlace
  readonly maxRows: number
  /** False: only count. */
  readonly isMade: boolean
}

export interface MovedPage<Place> {
  /** Deliveries made or moved; if nothing is written, those that would be. */
  readonly deliveries: number
  /** Null: there is nothing more. */
  readonly last: Place | null
}

export interface DeliveryRecords {
  /** Newest first. */
  list(filter: DeliveryFilter, limit: number): Promise<readonly DeliveryRecord[]>
  /**
   * Counts pending and dead ones. Delivered ones are not counted: they are nearly all
   * rows ever made.
   */
  count(filter: DeliveryFilter): Promise<Readonly<Record<'pending' | 'dead', number>>>
  /** By delivery, then by attempt. */
  attempts(deliveryIds: readonly string[]): Promise<readonly AttemptRecord[]>
  /**
   * Newest first, as far as they can be found without reading everything ever delivered.
   */
  lastAttempts(endpointId: number, limit: number): Promise<readonly AttemptRecord[]>
  /** The deliveries of these events, by endpoint. */
  ofEvents(keys: readonly EventKey[]): Promise<readonly DeliveryRecord[]>

  /** The database's time. */
  now(): Promise<string>
  /**
   * Counts dead deliveries that could be redriven, and those that cannot because their
   * endpoint is disabled.
   */
  countRedrivable(
    filter: DeliveryFilter
  ): Promise<{ readonly movable: number; readonly ofDisabled: number }>
  /** Makes dead deliveries of enabled endpoints pending again, with a new schedule. */
  redrive(page: RedrivePage): Promise<MovedPage<DeliveryPlace>>
  /** The place before the first event stored at this time or later. */
  placeBefore(since: Date): Promise<EventPlace>
  /**
   * Makes deliveries of stored events that the sender has passed and that have none for
   * this endpoint. Null: the endpoint is not enabled.
   */
  backfill(page: BackfillPage): Promise<MovedPage<EventPlace> | null>
}
