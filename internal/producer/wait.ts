/** Waiting that an AbortSignal cuts short. */
import type { Clock } from '../lifecycle/clock.js'

/** Resolves with true after `ms`, or with false as soon as the signal aborts. */
export function wait(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false)
  return new Promise(resolve => {
    const done = (): void => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve(!signal.aborted)
    }
    const cancel = clock.after(ms, done)
    signal.addEventListener('abort', done, { once: true })
  })
}
