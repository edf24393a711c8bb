/**
 * Sends messages again with a delay, and hands over the originals once the queue has
 * confirmed their copies.
 *
 * A copy's origin holds the id under which the event was first accepted. So an event
 * without its own id stays one event, whatever happens to the original: it is deleted
 * after the confirmation, and redelivered if the confirmation or the delete is lost.
 *
 * Units   milliseconds; delays in seconds.
 * Errors  none are thrown: a failed send is tried again with backoff, and what can never
 *         be sent goes to `onUnsendable`.
 */
import type { Clock } from '../../../engine/lifecycle/clock.js'
import type { OutgoingMessage, QueueWriter } from '../../../engine/queue/queue.js'
import { sendAll } from '../../../engine/queue/send-all.js'
import { backoffMs } from '../../../engine/retry/backoff.js'
import type { EventEntry } from '../event/event.js'
import { clientOf } from '../event/event.js'

/** Receives reports of sends; each call returns at once. */
export interface PostponeObserver {
  /** The queue holds these messages' copies, to arrive later. */
  sentLater(entries: number): void
  sendFailed(code: string, entries: number): void
}

export interface PostponerOptions {
  readonly writer: Pick<QueueWriter, 'send' | 'limits'>
  readonly clock: Clock
  readonly random: () => number
  /** The queue holds their copies. */
  readonly onSent: (entries: readonly EventEntry[]) => void
  readonly onUnsendable: (entry: EventEntry) => void
  readonly observer: PostponeObserver
}

interface Copy {
  readonly entry: EventEntry
  readonly outgoing: OutgoingMessage
  readonly attempt: number
}

/** Concurrent sends. */
const CONCURRENCY = 4
const RETRY = { baseMs: 100, maxMs: 5_000 }

export class Postponer {
  readonly #options: PostponerOptions
  #pending: Copy[] = []
  /** Copies whose send failed, waiting for the next attempt. */
  #waiting: Copy[] = []
  #calls = 0
  #isEnded = false
  #ended: (() => void)[] = []

  constructor(options: PostponerOptions) {
    this.#options = options
  }

  send(entry: EventEntry, delayS: number): void {
    const { id, body, origin = id } = entry.message
    this.#pending.push({
      entry,
      outgoing: { body, origin, delayS, group: clientOf(entry) },
      attempt: 1
    })
    this.#pump()
  }

  /**
   * Starts no more calls; resolves with what was not sent, once the running calls are
   * over.
   */
  async end(): Promise<readonly EventEntry[]> {
    this.#isEnded = true
    if (this.#calls > 0) await new Promise<void>(resolve => this.#ended.push(resolve))
    return [...this.#pending.splice(0), ...this.#waiting.splice(0)].map(({ entry }) => entry)
  }

  #pump(): void {
    while (!this.#isEnded && this.#calls < CONCURRENCY && this.#pending.length > 0) {
      this.#calls += 1
      void this.#call(this.#pending.splice(0, this.#options.writer.limits.entries)).finally(() => {
        this.#calls -= 1
        if (this.#calls === 0) for (const resolve of this.#ended.splice(0)) resolve()
        this.#pump()
      })
    }
  }

  async #call(copies: readonly Copy[]): Promise<void> {
    const { writer, onSent, onUnsendable, observer } = this.#options
    const { sent, refused, failed } = await sendAll(copies, ({ outgoing }) => outgoing, writer)
    for (const { code } of [...refused, ...failed]) observer.sendFailed(code, 1)
    for (const { item } of refused) onUnsendable(item.entry)
    if (sent.length > 0) {
      observer.sentLater(sent.length)
      onSent(sent.map(({ item }) => item.entry))
    }
    if (failed.length > 0)
      this.#retry(failed.map(({ item }) => ({ ...item, attempt: item.attempt + 1 })))
  }

  #retry(again: readonly Copy[]): void {
    const { clock, random } = this.#options
    this.#waiting.push(...again)
    clock.after(backoffMs(again[0]?.attempt ?? 1, RETRY, random), () => {
      this.#pending.push(...this.#waiting.splice(0))
      this.#pump()
    })
  }
}
