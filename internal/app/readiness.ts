/** Whether the processor does its work, and if not, why: the answer of /readyz. */
import type { WorkerStatus } from '../cluster/protocol.js'
import type { Answer } from '../http/server.js'
import type { Clock } from '../lifecycle/clock.js'

/** A worker that has not reported for this long is blocked. */
const REPORT_MS = 5_000
/** A receive may take its long poll and this much more. */
const RECEIVE_MARGIN_MS = 15_000
/** One probe serves all requests of this span. */
const PROBE_MS = 1_000

export class Readiness {
  /** What the processor is doing instead of its work; null while workers run. */
  reason: string | null = 'starting'
  readonly #clock: Clock
  readonly #silentMs: number
  readonly #workers = new Map<number, { readonly status: WorkerStatus; readonly atMs: number }>()
  #probe: (() => Promise<void>) | null = null
  #probed: { readonly atMs: number; readonly problem: Promise<string | null> } | null = null

  constructor(clock: Clock, waitTimeMs: number) {
    this.#clock = clock
    this.#silentMs = 2 * waitTimeMs + RECEIVE_MARGIN_MS
  }

  /** Workers are running from now on; `probe` tells whether the database takes writes. */
  watch(probe: () => Promise<void>): void {
    this.reason = null
    this.#probe = probe
  }

  reported(workerId: number, status: WorkerStatus): void {
    this.#workers.set(workerId, { status, atMs: this.#clock.monotonicMs() })
  }

  forget(workerId: number): void {
    this.#workers.delete(workerId)
  }

  async answer(): Promise<Answer> {
    const reasons = await this.#reasons()
    return {
      status: reasons.length === 0 ? 200 : 503,
      contentType: 'application/json; charset=utf-8',
      body: `${JSON.stringify({ ready: reasons.length === 0, reasons })}\n`
    }
  }

  async #reasons(): Promise<string[]> {
    if (this.reason !== null) return [this.reason]
    const problem = await this.#database()
    const reasons = problem === null ? [] : [`database: ${problem}`]
    const problems = Array.from(this.#workers, ([id, worker]) => this.#problemOf(id, worker))
    if (problems.length === 0) reasons.push('no worker has reported yet')
    else if (!problems.includes(null)) reasons.push(...problems.filter(one => one !== null))
    return reasons
  }

  #problemOf(id: number, { status, atMs }: { readonly status: WorkerStatus; readonly atMs: number }): string | null {
    const silentMs = this.#clock.monotonicMs() - atMs
    if (silentMs > REPORT_MS) return `worker ${id}: has not reported for ${Math.round(silentMs / 1_000)} s`
    // Full in-flight work is a busy worker, not an unready one.
    if (status.gateReasons.includes('database')) return `worker ${id}: waits for the database`
    if (status.receiveProblem !== null) return `worker ${id}: receives fail (${status.receiveProblem})`
    if (status.isReceiving && status.sinceReceiveMs > this.#silentMs) {
      return `worker ${id}: the queue has not answered for ${Math.round(status.sinceReceiveMs / 1_000)} s`
    }
    return null
  }

  #database(): Promise<string | null> {
    const nowMs = this.#clock.monotonicMs()
    if (this.#probe === null) return Promise.resolve(null)
    if (this.#probed === null || nowMs - this.#probed.atMs > PROBE_MS) {
      const problem = this.#probe().then(
        () => null,
        (error: unknown) => (error instanceof Error ? error.message : String(error))
      )
      this.#probed = { atMs: nowMs, problem }
    }
    return this.#probed.problem
  }
}
