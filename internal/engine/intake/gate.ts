/**
 * The admission gate: says when another receive may start.
 *
 * It is open unless something holds it closed. Each holder has its own reason: a database
 * outage and a full in-flight register close it independently, and the log can say which.
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
  readonly #onChanged: (isOpen: boolean, reasons: readonly GateReason[]) => void
  #waiting: (() => void)[] = []

  constructor(onChanged: (isOpen: boolean, reasons: readonly GateReason[]) => void) {
    this.#onChanged = onChanged
  }

  get isOpen(): boolean {
    return this.#closedBy.size === 0
  }

  get reasons(): readonly GateReason[] {
    return [...this.#closedBy]
  }

  /** Closes or opens the gate for one reason. */
  set(reason: GateReason, isClosed: boolean): void {
    if (this.#closedBy.has(reason) === isClosed) return
    if (isClosed) this.#closedBy.add(reason)
    else this.#closedBy.delete(reason)
    if (this.isOpen) {
      const waiting = this.#waiting
      this.#waiting = []
      for (const resolve of waiting) resolve()
    }
    this.#onChanged(this.isOpen, this.reasons)
  }

  /** Resolves as soon as the gate is open. */
  admit(): Promise<void> {
    if (this.isOpen) return Promise.resolve()
    return new Promise(resolve => this.#waiting.push(resolve))
  }
}
