/** An observer of attempts that does nothing, for tests that override parts of it. */
import type { DispatchObserver } from '../../engine/dispatch/observer.js'

const nothing = (): void => undefined

export const SILENT_OBSERVER: DispatchObserver<unknown, unknown, unknown> = {
  attempted: nothing,
  paused: nothing,
  disabled: nothing,
  failed: nothing,
  worked: nothing
}
