/**
 * Remembers which message a worker was examining when it died. Nothing else can tell: a
 * crash raises the receive count of everything that was in flight.
 *
 * The memory is bounded; the oldest message is forgotten first.
 */
export interface SuspectDeaths {
  readonly messageId: string
  /** How many workers have died of it so far. */
  readonly deaths: number
}

const MOST_REMEMBERED = 10_000

export class Deaths {
  /** By worker. */
  readonly #examined = new Map<number, string>()
  readonly #deaths = new Map<string, number>()

  /** From now on the worker examines this message; null: none. */
  examining(workerId: number, messageId: string | null): void {
    if (messageId === null) this.#examined.delete(workerId)
    else this.#examined.set(workerId, messageId)
  }

  /**
   * The worker is gone. Returns the message it was examining, if any, and its deaths so
   * far.
   */
  died(workerId: number): SuspectDeaths | null {
    const messageId = this.#examined.get(workerId)
    if (messageId === undefined) return null
    this.#examined.delete(workerId)
    const deaths = (this.#deaths.get(messageId) ?? 0) + 1
    this.#deaths.delete(messageId)
    this.#deaths.set(messageId, deaths)
    const [oldest] = this.#deaths.keys()
    if (this.#deaths.size > MOST_REMEMBERED && oldest !== undefined) this.#deaths.delete(oldest)
    return { messageId, deaths }
  }

  get all(): readonly SuspectDeaths[] {
    return Array.from(this.#deaths, ([messageId, deaths]) => ({ messageId, deaths }))
  }
}
