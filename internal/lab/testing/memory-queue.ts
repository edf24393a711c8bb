/**
 * A queue in memory that behaves like SQS, for tests that step time by hand and make
 * calls fail.
 *
 * Shapes  Queue and QueueWriter in one, and `messages`, `deadMessages` to look inside.
 *         Messages are handed out in the order of sending. Handles follow SQS:
 *         acknowledging with any but the newest handle of a message succeeds and deletes
 *         nothing; the newest one deletes even after its visibility has run out; nack and
 *         `extend` need the newest handle of a message that is in flight.
 * Units   visibility on the clock's monotonic milliseconds.
 * Errors  those of the port, plus those set with `failNext` and `failEntry`.
 * Source  Amazon SQS API reference, DeleteMessage and ChangeMessageVisibility.
 */
import type { Clock } from '../../engine/lifecycle/clock.js'
import { delay, unlessAborted } from '../../engine/lifecycle/interrupt.js'
import type { ReceivedMessage } from '../../engine/message/message.js'
import { readOrigin } from '../../engine/queue/origin.js'
import type {
  InspectableQueue,
  Leases,
  QueueError,
  QueueLimits,
  QueueWriter,
  Receipt,
  ReceiveOptions,
  Receiving,
  SendLimits,
  SettleFailure
} from '../../engine/queue/queue.js'
import {
  BATCH_ENTRIES,
  clampVisibilityS,
  refusalOf,
  SQS_LIMITS,
  SQS_SEND_LIMITS
} from '../../engine/queue/sqs/limits.js'

export interface MemoryQueueOptions {
  readonly clock: Clock
  readonly visibilityTimeoutS: number
  /**
   * How long one receive waits for messages, and so the longest time that an idle
   * receiver goes without `onReceive`. Default 20.
   */
  readonly waitTimeS?: number
  /** Deliveries after which a message becomes a dead letter. Default: never. */
  readonly maxReceiveCount?: number
  /**
   * Called with the receipts before they are deleted; a rejection makes the call fail and
   * deletes nothing.
   */
  readonly onAck?: (receipts: readonly Receipt[]) => void | Promise<void>
}

/** A message as the queue holds it. */
export interface HeldMessage {
  readonly id: string
  readonly body: string
  readonly receiveCount: number
  readonly isInFlight: boolean
}

export type SettleCall = 'ack' | 'nack' | 'extend'
export type QueueCall = SettleCall | 'receive' | 'depth' | 'send'

export interface MemoryQueue extends InspectableQueue, QueueWriter {
  readonly limits: QueueLimits & SendLimits
  readonly leases: Leases
  /** Messages that are neither deleted nor dead letters. */
  messages(): readonly HeldMessage[]
  /** Messages that were received too often. */
  deadMessages(): readonly HeldMessage[]
  /**
   * Makes the next such call fail as a whole, before it does anything. Several failures
   * are used one per call.
   */
  failNext(call: QueueCall, error: QueueError): void
  /** Makes the next such call with this entry fail for that entry alone. */
  failEntry(call: SettleCall, failure: SettleFailure): void
}

interface Held {
  readonly id: string
  readonly body: string
  readonly origin: string | undefined
  readonly sentAtMs: number
  receiveCount: number
  visibleAtMs: number
}

/** The wait after a failed receive. */
const RECEIVE_RETRY_MS = 100

/** The outcome of a call as a promise: a throw becomes a rejection, as over a network. */
const answer = <T>(call: () => T): Promise<T> => new Promise(resolve => resolve(call()))

const handleOf = (held: Held): string => `${held.id}#${held.receiveCount}`

export function createMemoryQueue(options: MemoryQueueOptions): MemoryQueue {
  const { clock, visibilityTimeoutS, waitTimeS = 20, maxReceiveCount = Infinity, onAck } = options
  const live = new Map<string, Held>()
  const dead: Held[] = []
  const failures: { readonly call: QueueCall; readonly error: QueueError }[] = []
  const entryFailures: { readonly call: SettleCall; readonly failure: SettleFailure }[] = []
  const underWay = new Set<Receiving>()
  let sent = 0
  let arrived = new AbortController()

  const isVisible = (held: Held): boolean => held.visibleAtMs <= clock.monotonicMs()
  const look = (held: Held): HeldMessage => ({
    id: held.id,
    body: held.body,
    receiveCount: held.receiveCount,
    isInFlight: !isVisible(held)
  })
  /** Wakes every receiver that waits for messages. */
  const announce = (): void => {
    const before = arrived
    arrived = new AbortController()
    before.abort()
  }
  const takeFailure = (call: QueueCall): QueueError | null => {
    const at = failures.findIndex(failure => failure.call === call)
    return at === -1 ? null : (failures.splice(at, 1)[0]?.error ?? null)
  }
  const takeEntryFailure = (call: SettleCall, id: string): SettleFailure | null => {
    const at = entryFailures.findIndex(entry => entry.call === call && entry.failure.id === id)
    return at === -1 ? null : (entryFailures.splice(at, 1)[0]?.failure ?? null)
  }
  const failIfTold = (call: QueueCall): void => {
    const error = takeFailure(call)
    if (error !== null) throw error
  }

  function take(max: number, visibleS: number): ReceivedMessage[] {
    const taken: ReceivedMessage[] = []
    for (const held of live.values()) {
      if (taken.length === max) break
      if (!isVisible(held)) continue
      if (held.receiveCount >= maxReceiveCount) {
        live.delete(held.id)
        dead.push(held)
        continue
      }
      held.receiveCount++
      held.visibleAtMs = clock.monotonicMs() + visibleS * 1_000
      taken.push({
        id: held.id,
        token: handleOf(held),
        body: held.body,
        bytes: Buffer.byteLength(held.body),
        receiveCount: held.receiveCount,
        sentAtMs: held.sentAtMs,
        ...(held.origin === undefined ? {} : { origin: held.origin })
      })
    }
    return taken
  }

  /**
   * One long poll: resolves as soon as there are messages, or with none at its end or
   * when stopped.
   */
  async function poll(stopped: AbortSignal): Promise<ReceivedMessage[]> {
    const endsAtMs = clock.monotonicMs() + waitTimeS * 1_000
    for (;;) {
      const taken = stopped.aborted ? [] : take(BATCH_ENTRIES, visibilityTimeoutS)
      const nowMs = clock.monotonicMs()
      if (taken.length > 0 || stopped.aborted || nowMs >= endsAtMs) return taken
      const nextMs = Math.min(endsAtMs, ...[...live.values()].map(held => held.visibleAtMs))
      await unlessAborted(delay(clock, nextMs - nowMs, arrived.signal), stopped)
    }
  }

  async function run(
    { admit, deliver, onError, onReceive }: ReceiveOptions,
    stopped: AbortSignal
  ): Promise<void> {
    const isStopped = (): boolean => stopped.aborted
    for (;;) {
      await unlessAborted(admit(), stopped)
      if (isStopped()) return
      const failure = takeFailure('receive')
      if (failure !== null) {
        onError(failure)
        await delay(clock, RECEIVE_RETRY_MS, stopped)
        continue
      }
      const taken = await poll(stopped)
      if (isStopped()) {
        giveBack(taken)
        return
      }
      onReceive()
      if (taken.length > 0) deliver(taken)
    }
  }

  /** Makes messages invisible for this long from now. */
  function hide(
    call: SettleCall,
    receipts: readonly Receipt[],
    visibleS: number
  ): readonly SettleFailure[] {
    failIfTold(call)
    const failed: SettleFailure[] = []
    for (const receipt of receipts) {
      const told = takeEntryFailure(call, receipt.id)
      const held = live.get(receipt.token.split('#')[0] ?? '')
      if (told !== null) failed.push(told)
      else if (held === undefined || handleOf(held) !== receipt.token || isVisible(held))
        failed.push({ id: receipt.id, code: 'InvalidParameterValue', retryable: false })
      else held.visibleAtMs = clock.monotonicMs() + visibleS * 1_000
    }
    announce()
    return failed
  }

  /** Gives back messages that a receive took while it was being stopped. */
  function giveBack(taken: readonly ReceivedMessage[]): void {
    for (const { id } of taken) {
      const held = live.get(id)
      if (held !== undefined) held.visibleAtMs = clock.monotonicMs()
    }
    if (taken.length > 0) announce()
  }

  return {
    limits: { ...SQS_LIMITS, ...SQS_SEND_LIMITS },
    countsDeliveries: true,
    deadLetters: null,

    receive(receiveOptions) {
      const stopped = new AbortController()
      const ended = run(receiveOptions, stopped.signal)
      const receiving: Receiving = {
        stop() {
          stopped.abort()
          announce()
          underWay.delete(receiving)
          return ended
        }
      }
      underWay.add(receiving)
      return receiving
    },

    async ack(receipts) {
      failIfTold('ack')
      const failed: SettleFailure[] = []
      const current: Receipt[] = []
      for (const receipt of receipts) {
        const [id = '', count] = receipt.token.split('#')
        const told = takeEntryFailure('ack', receipt.id)
        const held = live.get(id)
        if (told !== null) failed.push(told)
        else if (count === undefined)
          failed.push({ id: receipt.id, code: 'ReceiptHandleIsInvalid', retryable: false })
        else if (held !== undefined && handleOf(held) === receipt.token) current.push(receipt)
      }
      if (current.length > 0) await onAck?.(current)
      for (const { token } of current) {
        const held = live.get(token.slice(0, token.indexOf('#')))
        if (held !== undefined && handleOf(held) === token) live.delete(held.id)
      }
      return failed
    },

    nack: receipts => answer(() => hide('nack', receipts, 0)),

    leases: {
      seconds: visibilityTimeoutS,
      extend: (receipts, seconds) =>
        answer(() => hide('extend', receipts, clampVisibilityS(seconds)))
    },

    inspect: {
      take: (max, seconds) =>
        answer(() => {
          failIfTold('receive')
          return take(Math.min(max, BATCH_ENTRIES), clampVisibilityS(seconds))
        }),

      depth: () =>
        answer(() => {
          failIfTold('depth')
          const hidden = [...live.values()].filter(held => !isVisible(held))
          const delayed = hidden.filter(({ receiveCount }) => receiveCount === 0).length
          return { visible: live.size - hidden.length, inFlight: hidden.length - delayed, delayed }
        })
    },

    takes: message => refusalOf(message) === null,

    send: outgoing =>
      answer(() => {
        const failure = takeFailure('send')
        if (failure !== null) return outgoing.map(() => ({ code: failure.code, retryable: true }))
        const outcomes = outgoing.map(message => {
          const refusal = refusalOf(message)
          if (refusal !== null) return refusal
          sent++
          const id = `memory-${sent}`
          const { body, delayS = 0 } = message
          const origin = readOrigin(message.origin)
          live.set(id, {
            id,
            body,
            origin,
            sentAtMs: clock.epochMs(),
            receiveCount: 0,
            visibleAtMs: clock.monotonicMs() + delayS * 1_000
          })
          return { id }
        })
        announce()
        return outcomes
      }),

    async close() {
      await Promise.all([...underWay].map(receiving => receiving.stop()))
    },

    messages: () => [...live.values()].map(look),
    deadMessages: () => dead.map(held => ({ ...look(held), isInFlight: false })),
    failNext(call, error) {
      failures.push({ call, error })
    },
    failEntry(call, failure) {
      entryFailures.push({ call, failure })
    }
  }
}
