/**
 * How large a batch may be, and why it left.
 *
 * Units   bytes are UTF-8 bytes of message bodies.
 */
export interface BatchLimits {
  readonly maxMessages: number
  readonly maxBytes: number
  /**
   * How long a batch may wait for more entries, counted from when the committer is free
   * for it. It waits only after a batch of at least `busyMessages`: when messages arrive
   * that fast, the wait fills the batch, and a quiet system commits at once.
   */
  readonly lingerMs: number
  readonly busyMessages: number
}

/**
 * Why a batch left: it was full, its linger was over (or nothing more could come), or the
 * committer was free and took it.
 */
export type FlushCause = 'messages' | 'bytes' | 'linger' | 'free'
