/** Answers /readyz: whether a program with workers does its work, and if not, why. */
import type { Answer } from '../http/server.js'
import type { Clock } from '../lifecycle/clock.js'

/** A worker that has not reported for this long is blocked. */
const REPORT_MS = 5_000
/** One probe serves all requests within this span. */
const PROBE_MS = 1_000

/** What keeps a worker with this status from working; null: nothing. */
export type ProblemOf<Status> = (status: Status) => string | null

export class Readiness<Status> {
  /** What the program is doing instead of its work; null while workers run. */
  reason: string | null = 'starting'
  readonly #clock: Clock
  readonly #problemIn: ProblemOf<Status>
  readonly #workers = new Map<number, { readonly status: Status; readonly atMs: number }>()
  #probe: (() => Promise<void>) | null = null
  #probed: { readonly atMs: number; readonly problem: Promise<string | null> } | null = null

  constructor(clock: Clock, problemIn: ProblemOf<Status>) {
    this.#clock = clock
    this.#problemIn = problemIn
  }

  /** From now on workers run. `probe` rejects while the database takes no writes. */
  watch(probe: () => Promise<void>): void {
    this.reason = null
    this.#probe = probe
  }

  reported(workerId: number, status: Status): void {
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

  #problemOf(
    id: number,
    { status, atMs }: { readonly status: Status; readonly atMs: number }
  ): string | null {
    const silentMs = this.#clock.monotonicMs() - atMs
    if (silentMs > REPORT_MS)
      return `worker ${id}: has not reported for ${Math.round(silentMs / 1_000)} s`
    const problem = this.#problemIn(status)
    return problem === null ? null : `worker ${id}: ${problem}`
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
