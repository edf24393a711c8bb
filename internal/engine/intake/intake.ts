/**
 * Intake: receive → register → decode → admit → commit → settle. It alone decides the
 * fate of each message.
 *
 * The in-flight register holds a delivered message from its receipt to its delete. The
 * committer gives it its disposition, and the settler deletes it. Before the commit, the
 * admission may hold the message back, or send a copy of it that arrives later; then the
 * settler deletes the original. A message that fails anywhere in between stays in the
 * queue.
 *
 * Units   milliseconds, UTF-8 bytes.
 * Errors  only those of a wrong configuration leave here; faults are reported to the
 *         observer and ridden out.
 */

import type { Entry, ReceivedMessage, Rejection } from '../message/message.js'
import type { Receiving } from '../queue/queue.js'
import type { Admission } from './admission.js'
import { Committer } from './committer.js'
import { Gate, type GateReason } from './gate.js'
import { startHeartbeat } from './heartbeat.js'
import { InFlight } from './in-flight.js'
import type { IntakeOptions } from './options.js'
import { Settler } from './settler.js'
import { GUILTY_DEATHS, Suspects } from './suspects.js'

/** How much of the in-flight limits the admission may hold back. */
const HELD_SHARE = 0.25

export interface IntakeStatus {
  readonly inFlight: number
  readonly inFlightBytes: number
  /** How many of these the admission holds back. */
  readonly held: number
  readonly oldestInFlightMs: number
  readonly isGateOpen: boolean
  readonly gateReasons: readonly GateReason[]
  /** Since the queue last answered a receive. */
  readonly sinceReceiveMs: number
  /** The error code of receives since then; null while they succeed. */
  readonly receiveProblem: string | null
}

export class Intake<Item, Refused extends Rejection = Rejection> {
  readonly #options: IntakeOptions<Item, Refused>
  readonly #gate: Gate
  readonly #receiving: Receiving
  readonly #inFlight = new InFlight()
  readonly #stopHeartbeat: () => void
  readonly #suspects: Suspects
  readonly #admission: Admission<Item, Refused>
  readonly #committer: Committer<Item, Refused>
  readonly #settler: Settler
  #isExamining = false
  #answeredAtMs: number
  #receiveProblem: string | null = null
  #stopping: Promise<void> | null = null

  /** Opens the stages from the last to the first, and begins to receive. */
  constructor(options: IntakeOptions<Item, Refused>) {
    this.#options = options
    this.#gate = new Gate((isOpen, reasons) => {
      // While the gate is closed, nothing arrives that a batch could wait for.
      if (!isOpen) this.#committer.flush()
      options.observer.gateChanged(isOpen, reasons)
    })
    this.#settler = this.#openSettler()
    this.#committer = this.#openCommitter()
    this.#admission = this.#openAdmission()
    this.#suspects = new Suspects(options.suspectRecord)
    this.#stopHeartbeat = this.#startHeartbeat()
    this.#answeredAtMs = options.clock.monotonicMs()
    this.#receiving = this.#startReceiving()
  }

  get status(): IntakeStatus {
    const nowMs = this.#options.clock.monotonicMs()
    return {
      inFlight: this.#inFlight.size,
      inFlightBytes: this.#inFlight.bytes,
      held: this.#admission.held,
      oldestInFlightMs: this.#inFlight.oldestMs(nowMs),
      isGateOpen: this.#gate.isOpen,
      gateReasons: this.#gate.reasons,
      sinceReceiveMs: nowMs - this.#answeredAtMs,
      receiveProblem: this.#receiveProblem
    }
  }

  // receive

  #startReceiving(): Receiving {
    const { queue, clock, observer } = this.#options
    return queue.receive({
      admit: () => this.#gate.admit(),
      deliver: messages => this.#receive(messages),
      onReceive: () => {
        this.#receiveProblem = null
        this.#answeredAtMs = clock.monotonicMs()
      },
      onError: error => {
        this.#receiveProblem = error.code
        observer.receiveFailed(error)
      }
    })
  }

  #receive(messages: readonly ReceivedMessage[]): void {
    this.#options.observer.received(messages)
    const fresh = this.#register(messages)
    this.#checkRoom()
    this.#process(fresh)
    if (!this.#suspects.isEmpty) void this.#examine()
  }

  #process(messages: readonly ReceivedMessage[]): void {
    const entries = this.#decode(messages)
    const admitted = this.#admission.admit(entries)
    this.#committer.add(admitted)
  }

  // register

  /** Registers messages as in flight, and returns those that may be decoded now. */
  #register(messages: readonly ReceivedMessage[]): readonly ReceivedMessage[] {
    const { clock, suspectRecord } = this.#options
    const nowMs = clock.monotonicMs()
    const fresh: ReceivedMessage[] = []
    for (const message of messages) {
      if (!this.#inFlight.add(message, nowMs)) continue
      if (suspectRecord.deaths(message.id) >= GUILTY_DEATHS)
        this.#leaveToQueue(message, new Error('more than one worker died while examining it'))
      else if (!this.#suspects.hold(message)) fresh.push(message)
    }
    return fresh
  }

  #startHeartbeat(): () => void {
    const { queue, clock, observer } = this.#options
    return startHeartbeat({
      queue,
      inFlight: this.#inFlight,
      clock,
      onFailed: (code, entries) => observer.extendFailed(code, entries)
    })
  }

  #checkRoom(): void {
    const { maxInFlightMessages, maxInFlightBytes } = this.#options.limits
    this.#gate.set('in-flight-messages', this.#inFlight.size >= maxInFlightMessages)
    this.#gate.set('in-flight-bytes', this.#inFlight.bytes >= maxInFlightBytes)
  }

  /** Call when messages have left the register, or wait where they block no others. */
  #goOn(): void {
    this.#checkRoom()
    if (!this.#suspects.isEmpty) void this.#examine()
  }

  /** Processes the messages that wait to be examined, once nothing else is in flight. */
  async #examine(): Promise<void> {
    this.#gate.set('suspects', true)
    if (this.#isExamining) return
    this.#isExamining = true
    const isAlone = (): boolean =>
      this.#inFlight.size === this.#suspects.waiting + this.#admission.held
    while (isAlone() && !this.#suspects.isEmpty) this.#process(await this.#suspects.next())
    this.#isExamining = false
    this.#gate.set('suspects', !this.#suspects.isEmpty)
  }

  #leaveToQueue(message: ReceivedMessage, error: unknown): void {
    this.#inFlight.remove(message.id)
    this.#goOn()
    this.#options.observer.leftToQueue(message.id, error)
  }

  // decode

  #decode(messages: readonly ReceivedMessage[]): readonly Entry<Item, Refused>[] {
    const entries: Entry<Item, Refused>[] = []
    for (const message of messages) {
      try {
        entries.push({ message, verdict: this.#options.decode(message) })
      } catch (error) {
        // Fail closed: a bug in validation neither stores nor deletes.
        this.#leaveToQueue(message, error)
      }
    }
    return entries
  }

  // admit

  #openAdmission(): Admission<Item, Refused> {
    const { admission, limits } = this.#options
    return admission({
      maxHeldMessages: Math.floor(limits.maxInFlightMessages * HELD_SHARE),
      maxHeldBytes: Math.floor(limits.maxInFlightBytes * HELD_SHARE),
      // Nothing may join a message that is examined alone.
      isPaused: () => !this.#suspects.isEmpty,
      release: entries => this.#committer.add(entries),
      settle: entries => this.#settler.add(entries),
      heldMore: () => this.#goOn()
    })
  }

  // commit

  #openCommitter(): Committer<Item, Refused> {
    return new Committer({
      ...this.#options,
      limits: this.#options.limits.batch,
      gate: this.#gate,
      onCommitted: entries => this.#settle(entries),
      onUnwritable: (message, error) => this.#leaveToQueue(message, error)
    })
  }

  // settle

  #openSettler(): Settler {
    const { queue, clock, random, limits, observer } = this.#options
    return new Settler({
      queue,
      inFlight: this.#inFlight,
      clock,
      random,
      concurrency: limits.settleConcurrency,
      lingerMs: limits.settleLingerMs,
      onSettled: () => this.#goOn(),
      onFailed: (code, entries, isFinal) => observer.deleteFailed(code, entries, isFinal)
    })
  }

  #settle(entries: readonly Entry<Item, Refused>[]): void {
    this.#settler.add(entries)
    if (!this.#suspects.isEmpty) this.#settler.flush()
  }

  /**
   * Stops receiving, then commits and settles the messages in flight. Messages not
   * settled after `withinMs` go back to the queue. May be called twice.
   */
  stop(withinMs: number): Promise<void> {
    this.#stopping ??= this.#stop(withinMs)
    return this.#stopping
  }

  async #stop(withinMs: number): Promise<void> {
    this.#gate.set('draining', true)
    let cancelDeadline = (): void => undefined
    const deadline = new Promise<'late'>(resolve => {
      cancelDeadline = this.#options.clock.after(withinMs, () => resolve('late'))
    })
    const ended = await Promise.race([this.#drain(), deadline])
    cancelDeadline()
    this.#stopHeartbeat()
    if (ended === 'late') {
      this.#committer.abandon()
      await this.#giveBack()
    }
  }

  async #drain(): Promise<void> {
    await this.#receiving.stop()
    await this.#suspects.emptied()
    // Exceeding a quota a little, once, is better than another receive for each message.
    this.#committer.add(await this.#admission.end())
    await this.#committer.drain()
    await this.#settler.drain()
  }

  /**
   * Best effort: if the queue does not answer, the messages come back later by
   * themselves.
   */
  async #giveBack(): Promise<void> {
    await this.#options.queue.nack(this.#inFlight.receipts()).catch(() => undefined)
  }
}
