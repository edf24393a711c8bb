/**
 * One request and its answer, judged while undici reports on them.
 *
 * Shapes  one result, exactly once, at the latest when the deadline is over. What arrives
 *         later is ignored.
 * Units   milliseconds, bytes.
 */
import type { Dispatcher } from 'undici'
import type { Clock } from '../lifecycle/clock.js'
import { classifyFailure, type NoAnswer } from './failure.js'
import type { PostResult } from './result.js'
import { retryAfterMs } from './retry-after.js'

export interface ExchangeLimits {
  readonly clock: Clock
  readonly deadlineMs: number
  readonly maxRetryAfterMs: number
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

const MAX_BODY_BYTES = 65_536
const HEAD_BYTES = 1_024
/** Statuses below are interim: another answer follows. */
const FIRST_FINAL_STATUS = 200
const FIRST_FAILED_STATUS = 300
const CUT = new Error('cut')

export class Exchange implements Dispatcher.DispatchHandler {
  readonly #limits: ExchangeLimits
  readonly #done: (result: PostResult) => void
  readonly #startedMs: number
  readonly #cancelDeadline: () => void
  #controller: Dispatcher.DispatchController | null = null
  #isDone = false
  #status = 0
  #retryAfter: string | null = null
  #bodyBytes = 0
  #head: Buffer[] | null = null

  constructor(limits: ExchangeLimits, done: (result: PostResult) => void) {
    this.#limits = limits
    this.#done = done
    this.#startedMs = limits.clock.monotonicMs()
    this.#cancelDeadline = limits.clock.after(limits.deadlineMs, () => {
      this.#breakOff({ errorClass: 'deadline', detail: `${limits.deadlineMs} ms` })
      this.#controller?.abort(CUT)
    })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // The deadline passed while waiting for a connection. Throw: an abort would also
    // close the socket.
    if (this.#isDone) throw CUT
    this.#controller = controller
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Headers
  ): void {
    if (status < FIRST_FINAL_STATUS) return
    this.#status = status
    const value = headers['retry-after']
    if (value !== undefined)
      this.#retryAfter = typeof value === 'string' ? value : (value[0] ?? null)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#bodyBytes < HEAD_BYTES) (this.#head ??= []).push(chunk)
    this.#bodyBytes += chunk.length
    if (this.#bodyBytes <= MAX_BODY_BYTES || this.#isDone) return
    this.#answer()
    controller.abort(CUT)
  }

  onResponseEnd(): void {
    this.#answer()
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#breakOff(classifyFailure(error))
  }

  #breakOff(failure: NoAnswer): void {
    if (this.#status >= FIRST_FAILED_STATUS) this.#answer()
    else this.#settle({ kind: 'failed', ...failure, ms: this.#elapsedMs() })
  }

  #answer(): void {
    const { clock, maxRetryAfterMs } = this.#limits
    const waitMs =
      this.#retryAfter === null
        ? null
        : retryAfterMs(this.#retryAfter, clock.epochMs(), maxRetryAfterMs)
    this.#settle({
      kind: 'answered',
      status: this.#status,
      ...(waitMs === null ? {} : { retryAfterMs: waitMs }),
      responseHead: this.#head === null ? '' : textOf(this.#head),
      ms: this.#elapsedMs()
    })
  }

  #settle(result: PostResult): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#cancelDeadline()
    this.#done(result)
  }

  #elapsedMs(): number {
    return this.#limits.clock.monotonicMs() - this.#startedMs
  }
}

/**
 * Well-formed text from any bytes. A character torn by the cut is left out; U+0000, which
 * PostgreSQL cannot store, is replaced.
 */
function textOf(chunks: readonly Buffer[]): string {
  const bytes = Buffer.concat(chunks)
  const text = new TextDecoder().decode(bytes.subarray(0, HEAD_BYTES), {
    stream: bytes.length > HEAD_BYTES
  })
  return text.replaceAll('\0', '\u{fffd}')
}
