/**
 * How large a batch may be, and why it left.
 *
 * Units   bytes are UTF-8 bytes of message bodies.
 */
export interface BatchLimits {
  readonly maxMessages: number
  readonly maxBytes: number
  /**
   * How long a batch may wait for company, counted from when the committer is free for
   * it. It waits only behind a batch of at least `busyMessages`: where messages come that
   * fast the wait fills it, and a quiet system commits at once.
   */
  readonly lingerMs: number
  readonly busyMessages: number
}

/**
 * Why a batch left: it was full, its wait for company was over (or nothing more could
 * come), or the committer was free and took it.
 */
export type FlushCause = 'messages' | 'bytes' | 'linger' | 'free'
