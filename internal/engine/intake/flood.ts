/**
 * Whether one client floods the others: it holds three quarters of what waits for its
 * commit, and that is not little.
 *
 * Shapes  told before each batch what waits in the main lane, and what in that of the
 *         others; a flood is over CALM_AFTER_BATCHES batches after the last one that
 *         showed it, or when the others have much to say themselves: then two lanes would
 *         only make two halves of a batch.
 */
import { clientOf } from '../../systems/events/event/client-of.js'
import type { Entry } from '../message/message.js'
import type { Backlog } from './backlog.js'

/** Half a second or so beside a flood, which shows itself many times in that. */
const CALM_AFTER_BATCHES = 50

export class Flood {
  readonly #minMessages: number
  #client: string | null = null
  #batchesLeft = 0

  /** Fewer than `minMessages` in a line hold nobody up. */
  constructor(minMessages: number) {
    this.#minMessages = minMessages
  }

  /**
   * Whether this is better kept apart from a flood. A body that names no client ('') is
   * refused, and nobody waits for that.
   */
  isBeside(entry: Entry): boolean {
    if (this.#client === null) return false
    const client = clientOf(entry)
    return client !== this.#client && client !== ''
  }

  /** A batch of the main lane is about to be taken. */
  look(main: Backlog): void {
    this.#pass()
    if (main.length < this.#minMessages) return
    for (const [client, waiting] of main.countByClient()) {
      if (waiting * 4 < main.length * 3 || client === '') continue
      this.#client = client
      this.#batchesLeft = CALM_AFTER_BATCHES
    }
  }

  /** A batch of the others' lane is about to be taken. */
  lookBeside(others: Backlog): void {
    if (others.length >= this.#minMessages) this.#batchesLeft = 0
    this.#pass()
  }

  #pass(): void {
    this.#batchesLeft -= 1
    if (this.#batchesLeft < 0) this.#client = null
  }
}
