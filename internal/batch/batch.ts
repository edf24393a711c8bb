/**
 * One batch on its way to its commit, bounded by count and bytes.
 *
 * Units   bytes are UTF-8 bytes of message bodies.
 */
import type { Entry } from '../message/message.js'

export interface BatchLimits {
  readonly maxMessages: number
  readonly maxBytes: number
  /**
   * How long a batch may wait for company, counted from when the committer is free for it. It waits only behind a batch of at least
   * `busyMessages`: where messages come that fast the wait fills it, and a quiet system commits at once.
   */
  readonly lingerMs: number
  readonly busyMessages: number
}

/** Why a batch left: it was full, its wait for company was over (or nothing more could come), or the committer was free and took it. */
export type FlushCause = 'messages' | 'bytes' | 'linger' | 'free'

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

  /** Which limit the batch has reached, when an entry did not fit any more. */
  get reached(): 'messages' | 'bytes' {
    return this.entries.length >= this.#limits.maxMessages ? 'messages' : 'bytes'
  }
}
