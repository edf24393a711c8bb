/**
 * Waits that an AbortSignal cuts short; the engine has no others. A wait that may be cut
 * repeatedly gets a new signal each time.
 *
 * A cut resolves rather than rejects: the caller must check `signal.aborted` anyway. Each
 * wait removes its listener; a `Promise.race` against a promise that lives as long as the
 * process would keep a reaction per wait.
 *
 * Units   milliseconds.
 */
import type { Clock } from './clock.js'

/**
 * Resolves with `wait` or when `signal` is aborted, whichever is first; rejects with
 * `wait`.
 */
export function unlessAborted(wait: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const cut = () => resolve()
    signal.addEventListener('abort', cut, { once: true })
    wait
      .finally(() => signal.removeEventListener('abort', cut))
      .then(
        () => resolve(),
        (error: unknown) => {
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      )
  })
}

/** Resolves with true after `ms`, or with false as soon as `signal` is aborted. */
export function delay(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false)
  return new Promise(resolve => {
    const done = () => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve(!signal.aborted)
    }
    const cancel = clock.after(ms, done)
    signal.addEventListener('abort', done, { once: true })
  })
}

/** Calls `act` once: when `signal` aborts, or now if it already has. */
export function onAbort(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act()
  else signal.addEventListener('abort', act, { once: true })
}

export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => onAbort(signal, resolve))
}
