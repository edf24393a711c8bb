/**
 * The waiting room for messages that may have ended a process: received several times,
 * and never with an outcome.
 *
 * Each of them is examined alone: not before every other message here has its outcome and
 * has left the queue, and whoever comes meanwhile is held back until it has its own. So
 * what ends the process takes nobody with it. Those with the fewest deaths and receives
 * come first: they are the least suspicious, and the innocent among them are done before
 * the guilty one's turn.
 *
 * Source  a crash raises the receive count of everything in flight, so the count alone
 *         does not tell who it was; what was being examined when a worker died, its
 *         primary remembers (cluster/deaths.ts).
 */
import type { ReceivedMessage } from '../message/message.js'

/** From this delivery on a message is examined alone. */
export const SUSPECT_RECEIVES = 3
/**
 * Deaths during its own examination after which a message is not touched again: the first
 * may have been a coincidence.
 */
export const GUILTY_DEATHS = 2

/** What is known beyond this process of messages that were examined alone. */
export interface SuspectRecord {
  /**
   * Tells which one is examined from now on, null for none; resolves when the note is out
   * of this process's hands.
   */
  examining(messageId: string | null): Promise<void>
  /** How many workers ended while they examined it. */
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
   * To be asked whenever nobody else is in flight any more: whose turn it is. Empty when
   * nobody waits.
   */
  async next(): Promise<readonly ReceivedMessage[]> {
    const held = this.#held
    this.#held = []
    const suspect = held.length > 0 ? undefined : this.#leastSuspicious()
    const wasExamining = this.#isExamining
    // Before the note leaves: whoever comes while it does is held back already.
    this.#isExamining = suspect !== undefined
    if (suspect !== undefined) {
      await this.#record.examining(suspect.id)
      return [suspect]
    }
    if (wasExamining) await this.#record.examining(null)
    if (this.isEmpty) for (const resolve of this.#onEmpty.splice(0)) resolve()
    return held
  }

  /** Resolves when nobody waits any more. */
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
