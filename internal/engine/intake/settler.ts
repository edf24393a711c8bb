/**
 * The settle stage: deletes messages whose row is committed, many per call, independently
 * of the commits.
 *
 * A full call leaves at once; a partial one waits up to `lingerMs` for more. Entries that
 * fail are retried alone. A stale handle or too many failures end the attempts: the queue
 * then delivers the message again, as a duplicate.
 *
 * Units   milliseconds.
 * Errors  none leave here: a failed delete is counted and, at worst, causes a redelivery.
 */
import type { Clock } from '../lifecycle/clock.js'
import type { Entry } from '../message/message.js'
import { type Queue, QueueError, type Receipt, type SettleFailure } from '../queue/queue.js'
import { backoffMs } from '../retry/backoff.js'
import type { InFlight } from './in-flight.js'

export interface SettlerOptions {
  readonly queue: Pick<Queue, 'ack' | 'limits'>
  readonly inFlight: InFlight
  readonly clock: Clock
  readonly random: () => number
  /** Delete calls under way at once. */
  readonly concurrency: number
  readonly lingerMs: number
  /** Messages have left the register, deleted or given up. */
  readonly onSettled: () => void
  /**
   * Entries whose delete failed, with the queue's code; `isFinal` when they are not tried
   * again.
   */
  readonly onFailed: (code: string, entries: number, isFinal: boolean) => void
}

const MAX_ATTEMPTS = 5
const CUT_AT = 1_000
const RETRY = { baseMs: 100, maxMs: 5_000 }

interface Ack {
  readonly id: string
  readonly attempt: number
}

export class Settler {
  readonly #options: SettlerOptions
  /**
   * Entries before `#taken` are under way. They are cut off now and then, because
   * removing a few from the front would move all others each time.
   */
  #pending: Ack[] = []
  #taken = 0
  #calls = 0
  #retries = 0
  #cancelLinger: (() => void) | null = null
  #isDraining = false
  #drained: (() => void)[] = []

  constructor(options: SettlerOptions) {
    this.#options = options
  }

  /** Takes over messages whose transaction has committed. */
  add(entries: readonly Pick<Entry<unknown>, 'message'>[]): void {
    for (const entry of entries) this.#pending.push({ id: entry.message.id, attempt: 1 })
    this.#pump()
  }

  /** Starts a partial call that would wait for more. */
  flush(): void {
    if (this.#waiting > 0 && this.#calls < this.#options.concurrency) this.#start()
  }

  /** Resolves when nothing is left to delete. From now on no call waits for more. */
  drain(): Promise<void> {
    this.#isDraining = true
    this.#pump()
    if (this.#isIdle) return Promise.resolve()
    return new Promise(resolve => this.#drained.push(resolve))
  }

  get #waiting(): number {
    return this.#pending.length - this.#taken
  }

  get #isIdle(): boolean {
    return this.#waiting === 0 && this.#calls === 0 && this.#retries === 0
  }

  #pump(): void {
    const { concurrency, clock, lingerMs, queue } = this.#options
    while (this.#calls < concurrency && this.#waiting >= queue.limits.settle) this.#start()
    if (this.#waiting === 0 || this.#calls >= concurrency) return
    if (this.#isDraining) return this.#start()
    this.#cancelLinger ??= clock.after(lingerMs, () => {
      this.#cancelLinger = null
      if (this.#waiting > 0 && this.#calls < concurrency) this.#start()
    })
  }

  #start(): void {
    this.#cancelLinger?.()
    this.#cancelLinger = null
    const acks = this.#take()
    this.#calls += 1
    void this.#settle(acks).finally(() => {
      this.#calls -= 1
      this.#pump()
      if (this.#isIdle) for (const resolve of this.#drained.splice(0)) resolve()
    })
  }

  #take(): readonly Ack[] {
    const acks = this.#pending.slice(this.#taken, this.#taken + this.#options.queue.limits.settle)
    this.#taken += acks.length
    if (this.#taken >= CUT_AT || this.#waiting === 0) {
      this.#pending = this.#pending.slice(this.#taken)
      this.#taken = 0
    }
    return acks
  }

  async #settle(acks: readonly Ack[]): Promise<void> {
    const { queue, inFlight } = this.#options
    const receipts: Receipt[] = []
    for (const { id } of acks) {
      const receipt = inFlight.receipt(id)
      if (receipt !== null) receipts.push(receipt)
    }
    if (receipts.length === 0) return
    let failures: readonly SettleFailure[]
    try {
      failures = await queue.ack(receipts)
    } catch (error) {
      this.#failed(acks, error instanceof QueueError ? error.code : String(error), true)
      return
    }
    const hasFailed = (id: string): boolean => failures.some(failure => failure.id === id)
    for (const { id, token } of receipts) {
      if (failures.length > 0 && hasFailed(id)) continue
      // A newer delivery has its own handle, and only that one is sure to delete the
      // message.
      if (inFlight.receipt(id)?.token === token) inFlight.remove(id)
      else this.#pending.push({ id, attempt: 1 })
    }
    for (const { id, code, retryable } of failures) {
      const used = receipts.find(receipt => receipt.id === id)
      // A stale handle is not final when a newer delivery has arrived meanwhile.
      const hasNewer = inFlight.receipt(id)?.token !== used?.token
      this.#failed(
        acks.filter(ack => ack.id === id),
        code,
        retryable || hasNewer
      )
    }
    this.#options.onSettled()
  }

  #failed(acks: readonly Ack[], code: string, isRetryable: boolean): void {
    const { clock, inFlight, random, onFailed, onSettled } = this.#options
    const again = isRetryable ? acks.filter(ack => ack.attempt < MAX_ATTEMPTS) : []
    const given = acks.length - again.length
    if (given > 0) {
      for (const ack of acks) if (!again.includes(ack)) inFlight.remove(ack.id)
      onFailed(code, given, true)
      onSettled()
    }
    if (again.length === 0) return
    onFailed(code, again.length, false)
    this.#retries += 1
    const delayMs = backoffMs(again[0]?.attempt ?? 1, RETRY, random)
    clock.after(delayMs, () => {
      this.#retries -= 1
      for (const ack of again) this.#pending.push({ id: ack.id, attempt: ack.attempt + 1 })
      this.#pump()
    })
  }
}
