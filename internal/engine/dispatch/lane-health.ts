/**
 * The health of one lane while it is worked on: how long it has been failing, and when it
 * is paused or disabled.
 *
 * A pause and the disabling of a lane are written at once. That a lane is failing is
 * written only when the work ends: a lane that fails now and then would otherwise cost a
 * write each time.
 *
 * Units   milliseconds.
 * Errors  StoreError.
 */
import type { Clock } from '../lifecycle/clock.js'
import type { FoundLane, LaneChange } from './dispatch.js'

export interface LaneHealthOptions {
  readonly clock: Clock
  /** A lane in which nothing has succeeded for this long is disabled. */
  readonly disableAfterMs: number
  readonly change: (change: LaneChange) => Promise<void>
  readonly onPaused: (forMs: number) => void
  readonly onDisabled: (reason: string) => void
}

type LaneRecord = Pick<FoundLane<unknown>, 'failingForMs' | 'circuitOpened'>

export class LaneHealth {
  readonly #stored: LaneRecord
  readonly #options: LaneHealthOptions
  /** When it began to fail, on the monotonic clock; null after a success. */
  #failingSinceMs: number | null
  #paused: { readonly forMs: number; readonly circuitOpened: number } | null = null

  constructor(stored: LaneRecord, options: LaneHealthOptions) {
    this.#stored = stored
    this.#options = options
    this.#failingSinceMs =
      stored.failingForMs === null ? null : options.clock.monotonicMs() - stored.failingForMs
  }

  note(isFailure: boolean): void {
    if (!isFailure) this.#failingSinceMs = null
    else this.#failingSinceMs ??= this.#options.clock.monotonicMs()
  }

  /**
   * Attempts under way together may each ask for a pause: only one that exceeds the
   * pauses before it is written.
   */
  async pause(forMs: number, circuitOpened: number): Promise<void> {
    const longestMs = this.#paused?.forMs ?? 0
    if (this.#paused !== null && forMs <= longestMs && circuitOpened === this.#paused.circuitOpened)
      return
    this.#paused = { forMs: Math.max(forMs, longestMs), circuitOpened }
    await this.#options.change({ kind: 'paused', ...this.#paused })
    this.#options.onPaused(forMs)
  }

  async disable(reason: string): Promise<void> {
    await this.#options.change({ kind: 'disabled', reason })
    this.#options.onDisabled(reason)
  }

  /** Writes the changes, at the end of the work. */
  async save(): Promise<void> {
    const { clock, disableAfterMs, change } = this.#options
    const { failingForMs: storedMs, circuitOpened } = this.#stored
    if (this.#failingSinceMs === null) {
      if (storedMs !== null || circuitOpened > 0) await change({ kind: 'healthy' })
      return
    }
    const forMs = clock.monotonicMs() - this.#failingSinceMs
    if (forMs > disableAfterMs)
      await this.disable(`no attempt has succeeded for ${inHours(forMs)} hours`)
    else if (storedMs === null) await change({ kind: 'failing', forMs })
  }
}

function inHours(ms: number): string {
  return (ms / 3_600_000).toFixed(1)
}
