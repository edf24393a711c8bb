/**
 * The waiting room for messages that may have ended a process: received several times,
 * each time without an outcome.
 *
 * Each of them is examined alone: not before every other message here has its outcome and
 * has left the queue. Messages that arrive meanwhile are held back until it has its own
 * outcome. So a message that ends the process takes no others with it. Messages with the
 * fewest deaths and receives come first: they are the least suspicious, so the innocent
 * ones are done before the guilty one's turn.
 *
 * A crash raises the receive count of everything in flight, so the count alone does not
 * identify the culprit. The primary remembers which message was being examined when a
 * worker died (cluster/deaths.ts).
 */
import type { ReceivedMessage } from '../message/message.js'

/** From this delivery on a message is examined alone. */
export const SUSPECT_RECEIVES = 3
/**
 * After this many deaths during its own examination a message is not touched again; the
 * first may have been a coincidence.
 */
export const GUILTY_DEATHS = 2

/** What is known outside this process about messages that were examined alone. */
export interface SuspectRecord {
  /**
   * Reports which message is examined from now on; null: none. Resolves when the note has
   * left this process.
   */
  examining(messageId: string | null): Promise<void>
  /** How many workers died while examining it. */
  deaths(messageId: string): number
}

export class Suspects {
  readonly #record: SuspectRecord
  readonly #suspects: ReceivedMessage[] = []
  #held: ReceivedMessage[] = []
  #isExamining = false
  #onEmpty: (() => void)[] = []

  constructor(record: SuspectRecord) {
    this.#record = record
  }

  get waiting(): number {
    return this.#suspects.length + this.#held.length
  }

  get isEmpty(): boolean {
    return this.waiting === 0 && !this.#isExamining
  }

  /** True when the message has to wait here for its turn. */
  hold(message: ReceivedMessage): boolean {
    if (message.receiveCount >= SUSPECT_RECEIVES) this.#suspects.push(message)
    else if (this.#isExamining) this.#held.push(message)
    else return false
    return true
  }

  /**
   * Call whenever nothing else is in flight: returns the messages whose turn it is; none
   * when nothing waits.
   */
  async next(): Promise<readonly ReceivedMessage[]> {
    const held = this.#held
    this.#held = []
    const suspect = held.length > 0 ? undefined : this.#leastSuspicious()
    const wasExamining = this.#isExamining
    // Set before the note leaves, so that messages arriving meanwhile are held back.
    this.#isExamining = suspect !== undefined
    if (suspect !== undefined) {
      await this.#record.examining(suspect.id)
      return [suspect]
    }
    if (wasExamining) await this.#record.examining(null)
    if (this.isEmpty) for (const resolve of this.#onEmpty.splice(0)) resolve()
    return held
  }

  /** Resolves when no message waits any more. */
  emptied(): Promise<void> {
    if (this.isEmpty) return Promise.resolve()
    return new Promise(resolve => this.#onEmpty.push(resolve))
  }

  #leastSuspicious(): ReceivedMessage | undefined {
    let least = 0
    for (const [at, { id, receiveCount }] of this.#suspects.entries()) {
      const best = this.#suspects[least] as ReceivedMessage
      const difference =
        this.#record.deaths(id) - this.#record.deaths(best.id) || receiveCount - best.receiveCount
      if (difference < 0) least = at
    }
    return this.#suspects.splice(least, 1)[0]
  }
}
