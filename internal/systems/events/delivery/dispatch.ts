/**
 * Deliveries as duties of the dispatcher: a lane is an endpoint, and an attempt is a
 * signed POST.
 */
import type { Chore, Dispatch } from '../../../engine/dispatch/dispatch.js'
import type { DispatchObserver } from '../../../engine/dispatch/observer.js'
import type { Post } from '../../../engine/egress/post.js'
import type { PostResult } from '../../../engine/egress/result.js'
import type { Endpoint } from './endpoint.js'
import { signedPost } from './signed-post.js'
import type { Deliveries, DueDelivery, FanOut, SealedEndpoint } from './store/deliveries.js'
import { attemptOf } from './verdict.js'

export interface DeliveryObserver extends DispatchObserver<Endpoint, DueDelivery, PostResult> {
  fannedOut(made: FanOut): void
  ended(deliveries: number): void
}

export interface DeliveryDispatchOptions {
  readonly deliveries: Deliveries
  readonly post: (post: Post) => Promise<PostResult>
  /** Throws an ExpectedError that says why the endpoint cannot be used. */
  readonly open: (endpoint: SealedEndpoint) => Endpoint
  readonly observer: Pick<DeliveryObserver, 'fannedOut' | 'ended'>
}

/**
 * Events per page of the fan-out: few enough for a short transaction, and for its rows to
 * be in the cache when they are sent.
 */
const EVENTS_AT_ONCE = 2_000
const FAN_OUT_EVERY_MS = 100
const END_AT_ONCE = 5_000
const END_EVERY_MS = 1_000

export function createDeliveryDispatch({
  deliveries,
  post,
  open,
  observer
}: DeliveryDispatchOptions): Dispatch<Endpoint, DueDelivery, PostResult> {
  const fanOut: Chore = {
    name: 'fan-out',
    everyMs: FAN_OUT_EVERY_MS,
    async run() {
      const made = await deliveries.fanOut(EVENTS_AT_ONCE)
      if (made === null) return { isMore: false, hasWoken: false }
      observer.fannedOut(made)
      return { isMore: made.events === EVENTS_AT_ONCE, hasWoken: made.deliveries > 0 }
    }
  }
  const endDisabled: Chore = {
    name: 'end-disabled',
    everyMs: END_EVERY_MS,
    async run() {
      const ended = await deliveries.endDisabled(END_AT_ONCE)
      if (ended > 0) observer.ended(ended)
      return { isMore: ended === END_AT_ONCE, hasWoken: false }
    }
  }
  return {
    chores: [fanOut, endDisabled],
    wakeDue: () => deliveries.wakeDue(),
    async find(laneId) {
      const sealed = await deliveries.endpoint(Number(laneId))
      return sealed === null
        ? null
        : { ...sealed, version: versionOf(sealed), open: () => open(sealed) }
    },
    due: (laneId, limit, exceptIds) => deliveries.due(Number(laneId), limit, exceptIds),
    attempt: async (endpoint, delivery, startedAtMs) =>
      attemptOf(await post(signedPost(endpoint, delivery, startedAtMs))),
    settle: outcomes => deliveries.settle(outcomes),
    changeLane: (laneId, change) => deliveries.change(Number(laneId), change)
  }
}

/**
 * Changes when people change the endpoint. Its health is left out: the sender changes
 * that itself.
 */
function versionOf(endpoint: SealedEndpoint): string {
  return JSON.stringify({ ...endpoint, failingForMs: null, circuitOpened: null })
}
