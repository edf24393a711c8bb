/** What the sender tells about its work; app turns it into metrics and log records. */

import type { Endpoint } from '../../systems/events/delivery/endpoint.js'
import type { DueDelivery, FanOut, Then } from '../../systems/events/delivery/store/deliveries.js'
import type { PostResult } from '../egress/result.js'

/** The steps that the sender repeats; each is tried again by itself after a failure. */
export type SenderStep = 'fan-out' | 'call-due' | 'take' | 'keep' | 'lane' | 'record' | 'background'

export interface DeliveryObserver {
  fannedOut(made: FanOut): void
  /** `delayMs` is from the event's being stored to the beginning of the first attempt. */
  attemptedFirst(endpoint: Endpoint, delayMs: number): void
  attempted(
    endpoint: Endpoint,
    delivery: DueDelivery,
    attempt: number,
    result: PostResult,
    then: Then
  ): void
  paused(endpoint: Endpoint, forMs: number): void
  disabled(endpoint: Endpoint, reason: string): void
  ended(deliveries: number): void
  failed(step: SenderStep, error: unknown): void
  worked(step: SenderStep): void
}
