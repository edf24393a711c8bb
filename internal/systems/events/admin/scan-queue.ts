/**
 * Scans a queue that can only be received from: takes each message once, keeps it hidden
 * until the end, then gives back what is left.
 *
 * Shapes  `visit` gets each message once and says which are gone; the others are made
 *         visible again at the end, even after a failure. A killed program gives nothing
 *         back: its messages return when their time is over.
 * Units   seconds. The longer the queue, the longer its first messages stay hidden.
 * Errors  QueueError; what `visit` throws.
 * Source  Amazon SQS: every receive raises a message's receive count, and about 120,000
 *         messages can be held at once; beyond that nothing more is handed out.
 */
import type { Clock } from '../../../engine/lifecycle/clock.js'
import type { ReceivedMessage } from '../../../engine/message/message.js'
import type { InspectableQueue, Receipt } from '../../../engine/queue/queue.js'
import { settleAll } from '../../../engine/queue/settle-all.js'

export interface Visited {
  /** Ids of messages that are no longer in the queue. */
  readonly gone: ReadonlySet<string>
  /** True ends the scan. */
  readonly isEnough: boolean
}

export interface ScanOptions {
  readonly queue: Pick<InspectableQueue, 'inspect' | 'limits' | 'nack'>
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Awaited before each receive. */
  readonly before?: () => Promise<void>
  /** The most that one receive may bring. */
  readonly batchSize?: number
  readonly visit: (messages: readonly ReceivedMessage[]) => Promise<Visited> | Visited
}

export interface Scan {
  readonly seen: number
  /** The queue's own estimate when the scan began. */
  readonly expected: number
  /** Held by another receiver when the scan began. */
  readonly hidden: number
}

const MIN_HOLD_S = 20
/** How fast a scan is at least. */
const MESSAGES_PER_SECOND = 100
/**
 * This many receives in a row without a new message end the scan: in a long queue the
 * first messages return before the end is reached.
 */
const MAX_STALE_RECEIVES = 3

export async function scanQueue({
  queue,
  clock,
  signal,
  before,
  batchSize = queue.limits.receive,
  visit
}: ScanOptions): Promise<Scan> {
  const { visible, inFlight: hidden } = await queue.inspect.depth()
  const holdS = MIN_HOLD_S + visible / MESSAGES_PER_SECOND
  const held = new Map<string, Receipt>()
  const seen = new Set<string>()
  let staleReceives = 0
  try {
    while (staleReceives < MAX_STALE_RECEIVES) {
      await before?.()
      if (signal.aborted) break
      const messages = await queue.inspect.take(batchSize, holdS)
      if (messages.length === 0) break
      // Only the newest receipt counts.
      for (const { id, token } of messages) held.set(id, { id, token })
      const fresh = messages.filter(({ id }) => !seen.has(id))
      staleReceives = fresh.length === 0 ? staleReceives + 1 : 0
      if (fresh.length === 0) continue
      for (const { id } of fresh) seen.add(id)
      const { gone, isEnough } = await visit(fresh)
      for (const id of gone) held.delete(id)
      if (isEnough) break
    }
  } finally {
    // Best effort: the rest returns by itself.
    await settleAll([...held.values()], receipts => queue.nack(receipts), { clock, signal })
  }
  return { seen: seen.size, expected: visible, hidden }
}
