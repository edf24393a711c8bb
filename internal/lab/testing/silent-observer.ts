/** An observer of deliveries that does nothing, for tests that listen to some of it. */
import type { DeliveryObserver } from '../../engine/dispatch/observer.js'

const nothing = (): void => undefined

export const SILENT_OBSERVER: DeliveryObserver = {
  fannedOut: nothing,
  attemptedFirst: nothing,
  attempted: nothing,
  paused: nothing,
  disabled: nothing,
  ended: nothing,
  failed: nothing,
  worked: nothing
}
