/**
 * One batch on its way to its commit, bounded by count and bytes.
 *
 * Units   bytes are UTF-8 bytes of message bodies.
 */
import type { Entry } from '../message/message.js'

export interface BatchLimits {
  readonly maxMessages: number
  readonly maxBytes: number
}

/** Why a batch left: it was full, or the committer was free and took what there was. */
export type FlushCause = 'messages' | 'bytes' | 'free'

export class Batch {
  readonly entries: Entry[] = []
  #bytes = 0
  readonly #limits: BatchLimits

  constructor(limits: BatchLimits) {
    this.#limits = limits
  }

  /** False when `entry` belongs into the next batch; an empty batch takes any entry, however large. */
  fits(entry: Entry): boolean {
    if (this.entries.length === 0) return true
    return this.entries.length < this.#limits.maxMessages && this.#bytes + entry.message.bytes <= this.#limits.maxBytes
  }

  add(entry: Entry): void {
    this.entries.push(entry)
    this.#bytes += entry.message.bytes
  }

  /** Why the batch leaves when another one is waiting behind it (`isFull`) or when none is. */
  cause(isFull: boolean): FlushCause {
    if (!isFull) return 'free'
    return this.entries.length >= this.#limits.maxMessages ? 'messages' : 'bytes'
  }
}
