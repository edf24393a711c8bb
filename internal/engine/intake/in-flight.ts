/**
 * The register of messages in flight: received, not yet settled. It bounds the work under
 * way (I9). It knows the newest receipt handle of each message, and which messages must
 * be extended before their visibility timeout ends.
 *
 * Units   monotonic milliseconds, UTF-8 bytes.
 * Source  SQS delivers the same message again with a new handle after its visibility
 *         timeout, and only the newest handle is sure to delete it.
 */
import type { ReceivedMessage } from '../message/message.js'
import type { Receipt } from '../queue/queue.js'

interface Flight {
  receipt: Receipt
  /** The receive count of the delivery that the receipt belongs to. */
  receiveCount: number
  readonly bytes: number
  readonly receivedAtMs: number
  /** When the visibility timeout of the newest handle last started, as far as known. */
  visibleFromMs: number
}

export class InFlight {
  /** In the order of arrival. */
  readonly #flights = new Map<string, Flight>()
  #bytes = 0

  get size(): number {
    return this.#flights.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /**
   * Registers a message. False when it is in flight already: then only its newest handle
   * is noted, and the fate of its first delivery counts.
   */
  add(message: ReceivedMessage, nowMs: number): boolean {
    const receipt = { id: message.id, token: message.token }
    const known = this.#flights.get(message.id)
    if (known !== undefined) {
      // A delayed delivery may arrive after a newer one.
      if (message.receiveCount < known.receiveCount) return false
      known.receipt = receipt
      known.receiveCount = message.receiveCount
      known.visibleFromMs = nowMs
      return false
    }
    this.#flights.set(message.id, {
      receipt,
      receiveCount: message.receiveCount,
      bytes: message.bytes,
      receivedAtMs: nowMs,
      visibleFromMs: nowMs
    })
    this.#bytes += message.bytes
    return true
  }

  /** The newest receipt of a message in flight. */
  receipt(id: string): Receipt | null {
    return this.#flights.get(id)?.receipt ?? null
  }

  remove(id: string): void {
    const flight = this.#flights.get(id)
    if (flight === undefined) return
    this.#flights.delete(id)
    this.#bytes -= flight.bytes
  }

  /** How long the oldest message has been in flight. */
  oldestMs(nowMs: number): number {
    for (const { receivedAtMs } of this.#flights.values()) return nowMs - receivedAtMs
    return 0
  }

  /**
   * Up to `limit` receipts whose visibility timeout started at least `ageMs` ago; they
   * count as renewed from now on.
   */
  takeDue(ageMs: number, nowMs: number, limit: number): Receipt[] {
    const due: Receipt[] = []
    for (const flight of this.#flights.values()) {
      if (due.length === limit) break
      if (nowMs - flight.visibleFromMs < ageMs) continue
      due.push(flight.receipt)
      flight.visibleFromMs = nowMs
    }
    return due
  }

  /** All receipts in flight. */
  receipts(): Receipt[] {
    return Array.from(this.#flights.values(), flight => flight.receipt)
  }
}
