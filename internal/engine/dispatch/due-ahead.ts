/**
 * Hands out the due duties of one lane, and reads ahead.
 *
 * More is read before the last attempts have ended, so one slow answer holds up neither
 * the duties that are due nor those that become due meanwhile.
 *
 * Units   milliseconds.
 */
import type { Clock } from '../lifecycle/clock.js'
import { delay } from '../lifecycle/interrupt.js'
import type { DueDuty } from './dispatch.js'

export interface DueAheadOptions<Duty> {
  /**
   * Reads the due duties that are not in `open`; reports its own failures and never
   * rejects.
   */
  readonly read: (open: ReadonlySet<string>) => Promise<readonly Duty[]>
  readonly clock: Clock
  /** Once aborted, nothing is handed out any more. */
  readonly signal: AbortSignal
}

/** How often to look for newly due duties while others are under way. */
const READ_AGAIN_MS = 100

export class DueAhead<Duty extends DueDuty> {
  readonly #options: DueAheadOptions<Duty>
  readonly #ready: Duty[] = []
  /** Read, and not recorded yet. */
  readonly #open = new Set<string>()
  #reading: Promise<void> | null = null
  #underWay = 0

  constructor(options: DueAheadOptions<Duty>) {
    this.#options = options
  }

  /**
   * The next duty, under way from now until `ended`; null when there is nothing more to
   * begin.
   */
  async next(): Promise<Duty | null> {
    const { clock, signal } = this.#options
    while (!signal.aborted) {
      const next = this.#ready.shift()
      if (next !== undefined) {
        this.#underWay += 1
        return next
      }
      this.#reading ??= this.#read().finally(() => (this.#reading = null))
      const isAlone = this.#underWay === 0
      await this.#reading
      if (this.#ready.length > 0) continue
      // Only the last one ends the work: while others are under way, more may fall due.
      if (isAlone || this.#underWay === 0) return null
      await delay(clock, READ_AGAIN_MS, signal)
    }
    return null
  }

  ended(): void {
    this.#underWay -= 1
  }

  /** From now on the store says whether the duty is due. */
  recorded(dutyId: string): void {
    this.#open.delete(dutyId)
  }

  async #read(): Promise<void> {
    const due = await this.#options.read(this.#open)
    for (const { id } of due) this.#open.add(id)
    this.#ready.push(...due)
  }
}
