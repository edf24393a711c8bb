/**
 * The Queue port of one simulated process: poll loops, and calls that travel to the
 * server and back. A fault can strike each call.
 *
 * When a delete is requested, the message's row must be committed or a copy of the
 * message confirmed by the queue (I5).
 *
 * Units   virtual milliseconds.
 * Errors  QueueError and SettleFailure as the SQS adapter gives them; promises that the
 *         intake breaks are violations.
 */
import type { ReceivedMessage } from '../../engine/message/message.js'
import {
  type Queue,
  QueueError,
  type Receipt,
  type ReceiveOptions,
  type Receiving,
  type SettleFailure
} from '../../engine/queue/queue.js'
import { settleInBatches } from '../../engine/queue/sqs/batches.js'
import { SQS_LIMITS } from '../../engine/queue/sqs/limits.js'
import type { FaultOf } from './faults.js'
import { never, type SimulatedProcess } from './process.js'
import type { QueueServer } from './queue-server.js'
import type { World } from './world.js'

/** The longest wait of a receive for messages. */
export const WAIT_TIME_MS = 20_000
const CALL_DEADLINE_MS = 10_000
/** How long a stop waits for the answer of a receive. */
const STOP_GRACE_MS = 250
const RECEIVE_DEADLINE_MS = WAIT_TIME_MS + CALL_DEADLINE_MS

export interface QueueConnection {
  readonly world: World
  readonly server: QueueServer
  readonly process: SimulatedProcess
  /**
   * Whether the row of this message is visible to every session, or the queue has
   * confirmed a copy.
   */
  readonly isKept: (id: string) => boolean
  /**
   * Called when the process has the answer that entries of a settle call failed. It must
   * report each of them.
   */
  readonly onEntryFailed: (entries: number) => void
}

export function connectQueue(setup: QueueConnection): Queue {
  const { world, server, process, isKept, onEntryFailed } = setup
  const { faults, dice, scheduler } = world
  const limits = SQS_LIMITS
  const given = new Set<string>()
  let acksUnderWay = 0

  function receive(options: ReceiveOptions): Receiving {
    const deliver = (messages: readonly ReceivedMessage[]): void => {
      for (const { id } of messages) given.add(id)
      world.note(
        process.name,
        'is given',
        messages.map(({ id, receiveCount }) => `${id}(${receiveCount})`).join()
      )
      options.deliver(messages)
      process.dies('delivered')
    }
    const pollers = Array.from({ length: world.schedule.pollers }, () =>
      startPoller(setup, { ...options, deliver }, giveBack)
    )
    return { stop: () => Promise.all(pollers.map(stop => stop())).then(() => undefined) }
  }

  function giveBack(messages: readonly ReceivedMessage[]): Promise<unknown> {
    return call('extend', messages, receipt => server.extend(receipt, 0), false).catch(() => {
      for (const { id } of messages) server.excuse(id)
    })
  }

  function checkReceipts(what: string, receipts: readonly Receipt[]): void {
    const ids = new Set(receipts.map(({ id }) => id))
    if (receipts.length === 0 || receipts.length > limits.settle)
      world.violate('I9', `${what} of ${receipts.length} entries`)
    if (ids.size < receipts.length)
      world.violate('distinct ids', `${what} names a message twice: ${[...ids].join()}`)
    for (const id of ids)
      if (!given.has(id)) world.violate('I2', `${what} of ${id}, which this worker was never given`)
  }

  /** One batch call: the request, its effect on each entry, and the answer. */
  function call(
    name: 'ack' | 'extend',
    receipts: readonly Receipt[],
    effect: (receipt: Receipt) => SettleFailure | null,
    isTold: boolean
  ): Promise<readonly SettleFailure[]> {
    const fault = faults.strike(name)
    world.note(process.name, name, receipts.map(({ token }) => token).join())
    return new Promise((resolve, reject) => {
      const fail = (code: string, inMs: number): void =>
        void process.after(inMs, () => reject(new QueueError(code, `simulated ${code}`)))
      const isRefused = fault?.kind === 'ack-refused' || fault?.kind === 'extend-refused'
      const hangs = fault?.kind === 'ack-hangs' || fault?.kind === 'extend-hangs'
      const losesAnswer = fault?.kind === 'ack-answer-lost' || fault?.kind === 'extend-answer-lost'
      scheduler.after(world.latencyMs(), () => {
        if (!process.isHeard) return
        const span = faults.during(
          'queue-down',
          ...(name === 'extend' ? (['heartbeats-fail'] as const) : [])
        )
        // The heartbeat makes one call at a time: while one hangs, none of the worker's
        // messages is extended.
        if (name === 'extend' && (hangs || losesAnswer)) {
          server.excuseAll(process)
          process.heartbeatHangsUntilMs = world.nowMs + CALL_DEADLINE_MS
        }
        if (span !== null || isRefused || hangs || losesAnswer) blame(name, receipts)
        if (hangs) return fail('ETIMEDOUT', CALL_DEADLINE_MS)
        if (span !== null || isRefused) return fail('ServiceUnavailable', world.latencyMs())
        const failures: SettleFailure[] = []
        for (const receipt of receipts) {
          const failure = strikeEntry(fault, receipt) ?? effect(receipt)
          if (failure !== null) failures.push(failure)
        }
        if (process.dies(`${name} applied`)) return
        if (losesAnswer)
          return fail('ECONNRESET', dice.chance(0.5) ? world.latencyMs() : CALL_DEADLINE_MS)
        if (fault?.kind === 'ack-forgotten')
          scheduler.after(1 + fault.share * 1_000, () =>
            server.repeat(receipts.map(({ id }) => id))
          )
        process.after(world.latencyMs(), () => {
          if (name === 'ack' && process.dies('ack answered')) return
          if (isTold) onEntryFailed(failures.length)
          resolve(failures)
        })
      })
    })
  }

  function strikeEntry(
    fault: FaultOf<'ack' | 'extend'> | null,
    { id }: Receipt
  ): SettleFailure | null {
    const isPartlyRefused =
      fault?.kind === 'ack-partly-refused' || fault?.kind === 'extend-partly-refused'
    if (!isPartlyRefused && fault?.kind !== 'ack-handle-refused') return null
    if (!dice.chance(0.5)) return null
    if (fault.kind === 'ack-partly-refused') server.failDelete(id)
    else server.excuse(id)
    if (isPartlyRefused) return { id, code: 'InternalError', retryable: true }
    return { id, code: 'ReceiptHandleIsInvalid', retryable: false }
  }

  function blame(name: 'ack' | 'extend', receipts: readonly Pick<Receipt, 'id'>[]): void {
    for (const { id } of receipts) {
      if (name === 'ack') server.failDelete(id)
      else server.excuse(id)
    }
  }

  async function changeVisibility(
    receipts: readonly Receipt[],
    seconds: number
  ): Promise<readonly SettleFailure[]> {
    if (!process.isAlive || process.dies('extend called')) return never()
    process.onCall('extend')
    checkReceipts('an extension', receipts)
    return call('extend', receipts, receipt => server.extend(receipt, seconds), seconds > 0)
  }

  return {
    limits,
    countsDeliveries: true,
    deadLetters: null,
    inspect: null,
    receive,

    async ack(receipts) {
      if (!process.isAlive || process.dies('ack called')) return never()
      process.onCall('ack')
      checkReceipts('a delete', receipts)
      for (const { id } of receipts)
        if (!isKept(id))
          world.violate('I5', `${id} is deleted before its row is committed or its copy confirmed`)
      acksUnderWay++
      if (acksUnderWay > world.schedule.limits.settleConcurrency)
        world.violate('I9', `${acksUnderWay} deletes at once`)
      try {
        return await call('ack', receipts, receipt => server.delete(receipt), true)
      } finally {
        acksUnderWay--
      }
    },

    leases: { seconds: world.schedule.visibilityTimeoutS, extend: changeVisibility },
    nack: receipts => settleInBatches(receipts, batch => changeVisibility(batch, 0)),
    close: () => Promise.resolve()
  }
}

/**
 * Starts a poll loop. The returned function stops it and resolves when nothing is under
 * way.
 */
function startPoller(
  { world, server, process }: QueueConnection,
  options: ReceiveOptions,
  giveBack: (messages: readonly ReceivedMessage[]) => Promise<unknown>
): () => Promise<void> {
  const { faults, dice, scheduler } = world
  let isStopped = false
  let onEnded: (() => void) | null = null
  /** Cuts off what the loop waits for, where possible. */
  let cut: (() => void) | null = null

  const end = (): void => onEnded?.()

  function next(): void {
    cut = end
    if (isStopped) return end()
    void options.admit().then(() => {
      if (!isStopped && process.isAlive && !process.dies('receive called')) receive()
    })
  }

  function retryAfter(code: string, inMs: number): void {
    cut = end
    process.after(inMs, () => {
      if (isStopped) return
      options.onError(new QueueError(code, `simulated ${code}`))
      process.after(dice.scale(50, 5_000), () => {
        if (!isStopped) next()
      })
    })
  }

  function receive(): void {
    process.onCall('receive')
    if (process.isDatabaseFailing)
      world.violate('gate', `${process.name} receives although the database fails`)
    const fault = faults.strike('receive')
    if (fault?.kind === 'receive-hangs') return retryAfter('ETIMEDOUT', RECEIVE_DEADLINE_MS)
    cut = end
    scheduler.after(world.latencyMs(), () => {
      if (isStopped || !process.isHeard) return
      if (
        fault?.kind === 'receive-refused' ||
        faults.during('queue-down', 'queue-throttles-receives') !== null
      ) {
        return retryAfter('ThrottlingException', world.latencyMs())
      }
      if (fault?.kind === 'receive-repeats')
        server.repeat(server.inFlight().filter(() => dice.chance(0.5)))
      // Set before the poll, which may answer at once; then there is nothing to cut off.
      let stopPoll = (): void => undefined
      cut = () => {
        stopPoll()
        end()
      }
      stopPoll = server.poll(process, WAIT_TIME_MS, messages => answer(messages, fault))
    })
  }

  function answer(messages: readonly ReceivedMessage[], fault: FaultOf<'receive'> | null): void {
    cut = null
    if (messages.length > 0 && process.dies('receive taken')) return
    if (!process.isAlive) {
      for (const { id } of messages) server.excuse(id)
      return
    }
    if (fault?.kind === 'receive-answer-lost') {
      for (const { id } of messages) server.excuse(id)
      return retryAfter('ECONNRESET', world.latencyMs())
    }
    const isLate = fault?.kind === 'receive-answer-late' && messages.length > 0
    const lateMs = isLate ? fault.share * 2 * world.schedule.visibilityTimeoutS * 1_000 : 0
    if (isLate) for (const { id } of messages) server.excuse(id)
    process.after(lateMs + world.latencyMs(), () => {
      if (isStopped) {
        void (messages.length > 0 ? giveBack(messages) : Promise.resolve()).then(end)
        return
      }
      options.onReceive()
      if (messages.length > 0) options.deliver(messages)
      next()
    })
  }

  next()
  return () => {
    isStopped = true
    if (cut === null) {
      return new Promise(resolve => {
        onEnded = resolve
        process.after(STOP_GRACE_MS, resolve)
      })
    }
    cut()
    return Promise.resolve()
  }
}
