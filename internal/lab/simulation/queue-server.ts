/**
 * The simulated queue server, with the semantics of an SQS standard queue.
 *
 * Delivery is at least once and in any order. A receive takes some of what is visible;
 * each receive counts and gives a new handle. A message received too often becomes a dead
 * letter. A delete needs the newest handle (`staleDeletes` says what an older one does).
 * `allowance` counts the receives that a message is allowed: one, and one more for each
 * fault that touched it. A receive beyond that is a violation. A copy that a worker sends
 * is a separate message with the same event.
 *
 * Units   virtual milliseconds; visibility in seconds where SQS counts it so.
 * Source  Amazon SQS API reference and developer guide: ReceiveMessage, DeleteMessage,
 *         ChangeMessageVisibility, dead-letter queues.
 */
import type { ReceivedMessage } from '../../engine/message/message.js'
import type { OutgoingMessage, Receipt, SettleFailure } from '../../engine/queue/queue.js'
import { BATCH_ENTRIES } from '../../engine/queue/sqs/limits.js'
import type { SentBody } from './load.js'
import type { SimulatedProcess } from './process.js'
import type { World } from './world.js'

export interface Held {
  /** The MessageId. */
  readonly id: string
  /** The first message with this event; a copy refers to its original. */
  readonly sent: SentBody
  /** The sender has confirmation that the queue has it. */
  isConfirmed: boolean
  readonly sentAtMs: number
  receiveCount: number
  visibleAtMs: number
  receivedAtMs: number
  holder: SimulatedProcess | null
  allowance: number
  /** Deletes that failed and may be tried again. */
  failedDeletes: number
  isDeleted: boolean
}

/** A worker may give up a delete after this many failures. */
const DELETE_ATTEMPTS = 5

const handleOf = (held: Held): string => `${held.id}#${held.receiveCount}`

export class QueueServer {
  /** Messages that are neither deleted nor dead letters. */
  readonly live = new Map<string, Held>()
  readonly dead = new Map<string, Held>()
  readonly #world: World
  readonly #all = new Map<string, Held>()
  /** Each first message's family: itself and its copies. */
  readonly #families = new Map<string, Held[]>()
  readonly #waiting = new Set<() => void>()

  constructor(world: World) {
    this.#world = world
    for (const sent of world.schedule.sent) {
      if (sent.atMs !== Infinity) world.scheduler.after(sent.atMs, () => this.#accept(sent))
    }
  }

  /** Sends the last messages. */
  sendLast(): void {
    for (const sent of this.#world.schedule.sent) if (sent.atMs === Infinity) this.#accept(sent)
  }

  /**
   * One long poll of `waitMs`: calls `taken` as soon as there are messages, or with none
   * at its end.
   */
  poll(
    client: SimulatedProcess,
    waitMs: number,
    taken: (messages: readonly ReceivedMessage[]) => void
  ): () => void {
    const { scheduler } = this.#world
    const endsAtMs = scheduler.nowMs + waitMs
    let isOver = false
    let cancelRetry = (): void => undefined
    const attempt = (): void => {
      cancelRetry()
      this.#waiting.delete(attempt)
      // An announcement may coincide with the next attempt.
      if (isOver || !client.isHeard) return
      const messages = this.#take(client)
      if (messages.length > 0 || scheduler.nowMs >= endsAtMs) {
        isOver = true
        return taken(messages)
      }
      this.#waiting.add(attempt)
      let nextMs = endsAtMs
      for (const held of this.live.values()) nextMs = Math.min(nextMs, held.visibleAtMs)
      cancelRetry = scheduler.after(nextMs - scheduler.nowMs, attempt)
    }
    attempt()
    return () => {
      isOver = true
      cancelRetry()
      this.#waiting.delete(attempt)
    }
  }

  /** Deletes one message; returns the failure or null. */
  delete({ id, token }: Receipt): SettleFailure | null {
    const held = this.#heldBy(token)
    if (held === undefined) return { id, code: 'ReceiptHandleIsInvalid', retryable: false }
    if (handleOf(held) !== token) {
      this.#world.faults.hit('stale delete')
      if (this.#world.schedule.staleDeletes === 'refused')
        return { id, code: 'ReceiptHandleIsInvalid', retryable: false }
      if (this.#world.schedule.staleDeletes === 'ignored') return null
    }
    held.isDeleted = true
    this.live.delete(held.id)
    return null
  }

  /** Makes one message invisible for `seconds` from now; returns the failure or null. */
  extend({ id, token }: Receipt, seconds: number): SettleFailure | null {
    const { scheduler, schedule, faults } = this.#world
    const refused = { id, code: 'InvalidParameterValue', retryable: false }
    const held = this.#heldBy(token)
    if (
      held === undefined ||
      held.isDeleted ||
      handleOf(held) !== token ||
      held.visibleAtMs <= scheduler.nowMs
    )
      return refused
    const visibleAtMs = scheduler.nowMs + seconds * 1_000
    if (visibleAtMs > held.receivedAtMs + schedule.visibilityCeilingMs) {
      faults.hit('visibility ceiling')
      held.allowance++
      return refused
    }
    held.visibleAtMs = visibleAtMs
    if (seconds === 0) {
      held.allowance++
      this.#announce()
    }
    return null
  }

  /** Records a failed delete of this message that the worker may retry. */
  failDelete(id: string): void {
    const held = this.live.get(id)
    if (held === undefined) return
    held.failedDeletes++
    if (held.failedDeletes % DELETE_ATTEMPTS === 0) held.allowance++
  }

  /** Allows another receive: something happened that may bring the message back. */
  excuse(id: string): void {
    const held = this.#all.get(id)
    if (held !== undefined) held.allowance++
  }

  /** The same for all messages that a process holds. */
  excuseAll(holder: SimulatedProcess): void {
    for (const held of this.live.values()) if (held.holder === holder) held.allowance++
  }

  /** Redelivers messages that are in flight or deleted. */
  repeat(ids: Iterable<string>): void {
    for (const id of ids) {
      const held = this.#all.get(id)
      if (held === undefined || this.dead.has(id)) continue
      held.allowance++
      held.isDeleted = false
      held.visibleAtMs = this.#world.nowMs
      this.live.set(id, held)
    }
    this.#announce()
  }

  inFlight(): string[] {
    return [...this.live.values()]
      .filter(held => held.visibleAtMs > this.#world.nowMs)
      .map(held => held.id)
  }

  #heldBy(token: string): Held | undefined {
    return this.#all.get(token.slice(0, token.indexOf('#')))
  }

  /**
   * Accepts a copy of a message, to be received after its delay; returns its MessageId.
   */
  acceptCopy({ origin = '', delayS = 0 }: OutgoingMessage): string {
    const family = this.familyOf(origin)
    const [first] = family
    if (first === undefined) throw new Error(`a copy of ${origin}, which was never sent`)
    const id = `${first.id}+${family.length}`
    this.#world.faults.hit('sent later')
    this.#add({ id, sent: first.sent, isConfirmed: false }, delayS * 1_000)
    return id
  }

  /** The sender has the confirmation. */
  confirm(id: string): void {
    const held = this.#all.get(id)
    if (held !== undefined) held.isConfirmed = true
  }

  /** All messages of the same event: the first one and its copies. */
  familyOf(id: string): readonly Held[] {
    return this.#families.get(this.#all.get(id)?.sent.id ?? '') ?? []
  }

  #accept(sent: SentBody): void {
    this.#add({ id: sent.id, sent, isConfirmed: true }, 0)
  }

  #add(what: Pick<Held, 'id' | 'sent' | 'isConfirmed'>, delayMs: number): void {
    const nothing = {
      receiveCount: 0,
      receivedAtMs: 0,
      holder: null,
      allowance: 0,
      failedDeletes: 0,
      isDeleted: false
    }
    const { nowMs } = this.#world
    const held: Held = { ...what, sentAtMs: nowMs, visibleAtMs: nowMs + delayMs, ...nothing }
    this.#all.set(held.id, held)
    this.live.set(held.id, held)
    const family = this.#families.get(held.sent.id)
    if (family === undefined) this.#families.set(held.sent.id, [held])
    else family.push(held)
    this.#announce()
  }

  #announce(): void {
    for (const attempt of [...this.#waiting]) {
      this.#waiting.delete(attempt)
      this.#world.scheduler.after(0, attempt)
    }
  }

  #take(client: SimulatedProcess): readonly ReceivedMessage[] {
    const { schedule, nowMs, dice } = this.#world
    const visible: Held[] = []
    for (const held of this.live.values()) {
      if (held.visibleAtMs > nowMs) continue
      if (held.receiveCount < schedule.maxReceiveCount) visible.push(held)
      else {
        this.#world.note('queue', 'dead-letters', held.id)
        this.live.delete(held.id)
        this.dead.set(held.id, held)
      }
    }
    if (visible.length === 0) return []
    const taken = dice.shuffle(visible).slice(0, 1 + dice.below(BATCH_ENTRIES))
    return taken.map(held => this.#hand(held, client))
  }

  #hand(held: Held, client: SimulatedProcess): ReceivedMessage {
    const { schedule, nowMs } = this.#world
    const { id, sent } = held
    held.receiveCount++
    held.receivedAtMs = nowMs
    held.visibleAtMs = nowMs + schedule.visibilityTimeoutS * 1_000
    held.holder = client
    this.#world.note('queue', `hands ${client.name}`, id)
    if (client.isPaused || nowMs < client.heartbeatHangsUntilMs) held.allowance++
    if (held.receiveCount > 1 + held.allowance) {
      this.#world.violate(
        'receive economy',
        `${id} is received for the ${held.receiveCount}th time, and only ${held.allowance} faults touched it`
      )
    }
    const { body } = sent
    const origin = id === sent.id ? {} : { origin: sent.id }
    return {
      id,
      token: handleOf(held),
      body,
      bytes: body.length,
      receiveCount: held.receiveCount,
      sentAtMs: held.sentAtMs,
      ...origin
    }
  }
}
