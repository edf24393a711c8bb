/**
 * The load generator: sends a given number of events as fast as the queue takes them, or
 * at a given rate.
 *
 * Up to `concurrency` calls share one event source. Totals count what the queue has
 * accepted, not what was tried. The pace is open-loop: all due events are sent, so a slow
 * second is made up for and the rate does not drift.
 *
 * Units   `ratePerSecond` counts events.
 * Errors  a message that the queue did not take is tried again until it does or the
 *         signal aborts. A ledger that cannot be written rejects: a run without its
 *         record proves nothing.
 */
import { createHash } from 'node:crypto'
import { delay } from '../../../engine/lifecycle/interrupt.js'
import type { SentItem } from '../../../engine/queue/send-all.js'
import { createEventSource, type EventSourceOptions, type GeneratedEvent } from './events.js'
import type { LedgerEntry, LedgerWriter } from './ledger.js'
import { type SendTarget, sendUntilTaken } from './send.js'

/**
 * At a high rate several events are due per millisecond; this wait lets them share a
 * call.
 */
const PACE_MS = 5

export interface RunLoadOptions extends EventSourceOptions, SendTarget {
  /** Null: as fast as possible. */
  readonly ratePerSecond: number | null
  readonly concurrency: number
  readonly ledger: LedgerWriter | null
  readonly onProgress: (totals: LoadTotals) => void
}

export interface LoadTotals {
  /** Messages that the queue accepted, duplicates and invalid ones included. */
  readonly sent: number
  readonly duplicates: number
  readonly invalid: number
  /** Messages that the queue refused for good: they were never accepted. */
  readonly refused: number
  readonly seconds: number
}

export async function runLoad(options: RunLoadOptions): Promise<LoadTotals> {
  const { clock, ledger } = options
  const startedMs = clock.monotonicMs()
  const counts = { sent: 0, duplicates: 0, invalid: 0, refused: 0 }
  const totals = (): LoadTotals => ({
    ...counts,
    seconds: (clock.monotonicMs() - startedMs) / 1000
  })
  const failed = new AbortController()
  const target: SendTarget = {
    ...options,
    signal: AbortSignal.any([options.signal, failed.signal])
  }
  const nextBatch = createBatches(options, target.signal, startedMs)

  const record = async (accepted: readonly SentItem<GeneratedEvent>[]): Promise<void> => {
    counts.sent += accepted.length
    for (const { item } of accepted) {
      if (item.kind === 'duplicate') counts.duplicates += 1
      else if (item.kind === 'invalid') counts.invalid += 1
    }
    options.onProgress(totals())
    if (ledger !== null) await ledger.append(accepted.map(ledgerEntry))
  }

  const work = async (): Promise<void> => {
    for (let batch = await nextBatch(); batch.length > 0; batch = await nextBatch()) {
      counts.refused += await sendUntilTaken(batch, target, record)
    }
  }

  const workers = Array.from({ length: options.concurrency }, () =>
    work().catch((error: unknown) => {
      // The others finish their current calls and stop, so that the caller closes the
      // ledger after the last line.
      failed.abort()
      throw error
    })
  )
  for (const worker of await Promise.allSettled(workers))
    if (worker.status === 'rejected') throw worker.reason
  return totals()
}

/** Gives each caller in turn the next due batch; an empty one means the end. */
function createBatches(
  options: RunLoadOptions,
  signal: AbortSignal,
  startedMs: number
): () => Promise<readonly GeneratedEvent[]> {
  const { clock, ratePerSecond, queue } = options
  const nextEvent = createEventSource(options)
  let held: GeneratedEvent | null = nextEvent()
  let taken = 0

  /** How many events the next call may hold; 0 when the signal aborted first. */
  const waitUntilDue = async (): Promise<number> => {
    if (signal.aborted) return 0
    if (ratePerSecond === null) return queue.limits.entries
    const aheadMs = startedMs + (taken * 1000) / ratePerSecond - clock.monotonicMs()
    if (aheadMs > 0 && !(await delay(clock, Math.max(PACE_MS, aheadMs), signal))) return 0
    const due = Math.floor(((clock.monotonicMs() - startedMs) * ratePerSecond) / 1000) + 1 - taken
    return Math.max(1, Math.min(queue.limits.entries, due))
  }

  const take = async (): Promise<readonly GeneratedEvent[]> => {
    const batch: GeneratedEvent[] = []
    if (held === null) return batch
    const atMost = await waitUntilDue()
    while (held !== null && batch.length < atMost) {
      batch.push(held)
      held = nextEvent()
    }
    taken += batch.length
    return batch
  }

  let turn: Promise<unknown> = Promise.resolve()
  return () => {
    const mine = turn.then(take)
    turn = mine
    return mine
  }
}

function ledgerEntry({ id, item }: SentItem<GeneratedEvent>): LedgerEntry {
  return {
    queueMessageId: id,
    clientId: item.clientId,
    eventType: item.eventType,
    eventId: item.eventId,
    payloadSha256:
      item.payload === null ? null : createHash('sha256').update(item.payload).digest('hex'),
    valid: item.kind !== 'invalid',
    bytes: item.bytes
  }
}
