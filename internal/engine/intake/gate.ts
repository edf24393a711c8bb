/**
 * The admission gate: says when another receive may start.
 *
 * It is open while nobody holds it closed. Each holder has its own reason, so that a
 * database outage and a full in-flight register close it independently and the log can
 * say which.
 */
export const GATE_REASONS = [
  'in-flight-messages',
  'in-flight-bytes',
  'database',
  'suspects',
  'draining'
] as const
export type GateReason = (typeof GATE_REASONS)[number]

export class Gate {
  readonly #closedBy = new Set<GateReason>()
  #waiting: (() => void)[] = []

  get isOpen(): boolean {
    return this.#closedBy.size === 0
  }

  get reasons(): readonly GateReason[] {
    return [...this.#closedBy]
  }

  /** Closes or opens the gate for one reason; true when that changed anything. */
  set(reason: GateReason, closed: boolean): boolean {
    if (this.#closedBy.has(reason) === closed) return false
    if (closed) this.#closedBy.add(reason)
    else this.#closedBy.delete(reason)
    if (this.isOpen) {
      const waiting = this.#waiting
      this.#waiting = []
      for (const resolve of waiting) resolve()
    }
    return true
  }

  /** Resolves as soon as the gate is open. */
  admit(): Promise<void> {
    if (this.isOpen) return Promise.resolve()
    return new Promise(resolve => this.#waiting.push(resolve))
  }
}
