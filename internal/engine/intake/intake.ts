/**
 * Intake: receive → validate → group commit → settle. The sole owner of each message's
 * fate.
 *
 * A message that was delivered is in exactly one of these hands: the in-flight register
 * holds it from receipt until its delete; the committer gives it its disposition; the
 * settler deletes it. On the way to the committer a client's quota may hold it back, or
 * have a copy of it sent that arrives later (over-quota.ts); then the settler deletes the
 * original. Whatever fails in between leaves it in the queue.
 *
 * Units   milliseconds, UTF-8 bytes.
 * Errors  none leave here but those of a wrong configuration; faults are reported to the
 *         observer and ridden out.
 */

import type { ClientRules } from '../../systems/events/quota/client-rules.js'
import { OverQuota } from '../../systems/events/quota/quota-gate.js'
import type { Clock } from '../lifecycle/clock.js'
import type { Disposition, Entry, ReceivedMessage, Verdict } from '../message/message.js'
import type { Queue, QueueError, QueueWriter, Receiving } from '../queue/queue.js'
import type { BatchLimits, FlushCause } from './batch.js'
import { type CommitJournal, Committer } from './committer.js'
import { Gate, type GateReason } from './gate.js'
import { startHeartbeat } from './heartbeat.js'
import { InFlight } from './in-flight.js'
import { Settler } from './settler.js'
import type { Store, StoreError } from './store.js'
import { GUILTY_DEATHS, type SuspectRecord, Suspects } from './suspects.js'

/**
 * How much of the in-flight limits may wait for quotas: the rest stays with those who are
 * within theirs.
 */
const HELD_SHARE = 0.25

export interface IntakeLimits {
  readonly batch: BatchLimits
  /**
   * In-flight work at which receiving pauses; one receive per poller may still come in on
   * top.
   */
  readonly maxInFlightMessages: number
  readonly maxInFlightBytes: number
  readonly settleConcurrency: number
  readonly settleLingerMs: number
}

/** What a person or a counter may want to hear of; each call returns at once. */
export interface IntakeObserver {
  received(messages: readonly ReceivedMessage[]): void
  committed(
    entries: readonly Entry[],
    dispositions: readonly Disposition[],
    cause: FlushCause,
    tookMs: number
  ): void
  receiveFailed(error: QueueError): void
  /** Entries whose delete failed; `isFinal` when they are left to redelivery. */
  deleteFailed(code: string, entries: number, isFinal: boolean): void
  extendFailed(code: string, entries: number): void
  /**
   * Messages beyond their client's quota whose copies are in the queue, to arrive later.
   */
  sentLater(entries: number): void
  sendFailed(code: string, entries: number): void
  storeFailed(error: StoreError, attempt: number): void
  storeRecovered(): void
  gateChanged(isOpen: boolean, reasons: readonly GateReason[]): void
  /**
   * A message that cannot be given a disposition here; the queue's redrive policy takes
   * it to the dead-letter queue.
   */
  leftToQueue(messageId: string, error: unknown): void
}

export interface IntakeOptions {
  readonly queue: Queue
  /** Of the same queue. */
  readonly writer: Pick<QueueWriter, 'send' | 'limits'>
  readonly store: Store
  /** Pure; does not throw for any body. */
  readonly decode: (message: ReceivedMessage) => Verdict
  readonly clients: ClientRules
  readonly clock: Clock
  readonly random: () => number
  readonly limits: IntakeLimits
  readonly journal: CommitJournal
  readonly suspectRecord: SuspectRecord
  readonly observer: IntakeObserver
}

export interface IntakeStatus {
  readonly inFlight: number
  readonly inFlightBytes: number
  /** Those of them that wait for their client's quota. */
  readonly held: number
  readonly oldestInFlightMs: number
  readonly isGateOpen: boolean
  readonly gateReasons: readonly GateReason[]
  /** Since the queue last answered a receive. */
  readonly sinceReceiveMs: number
  /** The code with which receives have failed since then; null while they do not. */
  readonly receiveProblem: string | null
}

export class Intake {
  readonly #options: IntakeOptions
  readonly #gate = new Gate()
  readonly #inFlight = new InFlight()
  readonly #committer: Committer
  readonly #overQuota: OverQuota
  readonly #settler: Settler
  readonly #receiving: Receiving
  readonly #stopHeartbeat: () => void
  readonly #suspects: Suspects
  #isAdvancing = false
  #answeredAtMs: number
  #receiveProblem: string | null = null
  #stopping: Promise<void> | null = null

  constructor(options: IntakeOptions) {
    this.#options = options
    const { queue, writer, store, clock, random, limits, journal, observer, clients } = options
    this.#answeredAtMs = clock.monotonicMs()
    this.#suspects = new Suspects(options.suspectRecord)
    this.#settler = new Settler({
      queue,
      inFlight: this.#inFlight,
      clock,
      random,
      concurrency: limits.settleConcurrency,
      lingerMs: limits.settleLingerMs,
      onSettled: () => this.#hasMoved(),
      onFailed: (code, entries, isFinal) => observer.deleteFailed(code, entries, isFinal)
    })
    this.#committer = new Committer({
      store,
      clock,
      random,
      limits: limits.batch,
      weightOf: client => clients.weightOf(client),
      journal,
      isReceiving: () => this.#gate.isOpen,
      onCommitted: (entries, dispositions, cause, tookMs) => {
        observer.committed(entries, dispositions, cause, tookMs)
        this.#settler.add(entries)
        if (!this.#suspects.isEmpty) this.#settler.flush()
      },
      onUnwritable: (entry, error) => this.#leaveToQueue(entry.message, error),
      onFault: (error, attempt) => {
        this.#setGate('database', true)
        observer.storeFailed(error, attempt)
      },
      onRecovered: () => {
        this.#setGate('database', false)
        observer.storeRecovered()
      }
    })
    this.#overQuota = new OverQuota({
      rules: clients,
      writer,
      clock,
      random,
      maxHeldMessages: Math.floor(limits.maxInFlightMessages * HELD_SHARE),
      maxHeldBytes: Math.floor(limits.maxInFlightBytes * HELD_SHARE),
      release: entries => this.#committer.add(entries),
      // Whoever is examined alone must be alone.
      isPaused: () => !this.#suspects.isEmpty,
      onSentLater: entries => {
        observer.sentLater(entries.length)
        this.#settler.add(entries)
      },
      onSendFailed: (code, entries) => observer.sendFailed(code, entries),
      onKept: () => this.#hasMoved()
    })
    this.#stopHeartbeat = startHeartbeat({
      queue,
      inFlight: this.#inFlight,
      clock,
      onFailed: (code, entries) => observer.extendFailed(code, entries)
    })
    this.#receiving = queue.receive({
      deliver: messages => this.#deliver(messages),
      admit: () => this.#gate.admit(),
      onError: error => {
        this.#receiveProblem = error.code
        observer.receiveFailed(error)
      },
      onReceive: () => {
        this.#receiveProblem = null
        this.#answeredAtMs = clock.monotonicMs()
      }
    })
  }

  get status(): IntakeStatus {
    const nowMs = this.#options.clock.monotonicMs()
    return {
      inFlight: this.#inFlight.size,
      inFlightBytes: this.#inFlight.bytes,
      held: this.#overQuota.held,
      oldestInFlightMs: this.#inFlight.oldestMs(nowMs),
      isGateOpen: this.#gate.isOpen,
      gateReasons: this.#gate.reasons,
      sinceReceiveMs: nowMs - this.#answeredAtMs,
      receiveProblem: this.#receiveProblem
    }
  }

  /**
   * Stops receiving, then commits and settles what is in flight. What is not settled
   * after `withinMs` is given back to the queue. May be called twice.
   */
  stop(withinMs: number): Promise<void> {
    this.#stopping ??= this.#stop(withinMs)
    return this.#stopping
  }

  async #stop(withinMs: number): Promise<void> {
    this.#setGate('draining', true)
    let cancelDeadline = (): void => undefined
    const deadline = new Promise<'late'>(resolve => {
      cancelDeadline = this.#options.clock.after(withinMs, () => resolve('late'))
    })
    const drained = this.#receiving
      .stop()
      .then(() => this.#suspects.emptied())
      .then(() => this.#overQuota.end())
      // A little more than the quota allows, once, rather than a receive count for each.
      .then(held => this.#committer.add(held))
      .then(() => this.#committer.drain())
      .then(() => this.#settler.drain())
    const ended = await Promise.race([drained, deadline])
    cancelDeadline()
    this.#stopHeartbeat()
    if (ended === 'late') {
      this.#committer.abandon()
      await this.#giveBack()
    }
  }

  #deliver(messages: readonly ReceivedMessage[]): void {
    const { observer, clock, suspectRecord } = this.#options
    const nowMs = clock.monotonicMs()
    observer.received(messages)
    const fresh: ReceivedMessage[] = []
    for (const message of messages) {
      if (!this.#inFlight.add(message, nowMs)) continue
      if (suspectRecord.deaths(message.id) >= GUILTY_DEATHS)
        this.#leaveToQueue(message, new Error('it has ended a worker more than once'))
      else if (!this.#suspects.hold(message)) fresh.push(message)
    }
    this.#checkRoom()
    this.#decode(fresh)
    if (!this.#suspects.isEmpty) void this.#advance()
  }

  #decode(messages: readonly ReceivedMessage[]): void {
    const entries: Entry[] = []
    for (const message of messages) {
      try {
        entries.push({ message, verdict: this.#options.decode(message) })
      } catch (error) {
        // Fail closed: a bug in validation neither stores nor deletes.
        this.#leaveToQueue(message, error)
      }
    }
    this.#committer.add(this.#overQuota.admit(entries))
  }

  /** Messages have left the register, or wait where they are in nobody's way. */
  #hasMoved(): void {
    this.#checkRoom()
    if (!this.#suspects.isEmpty) void this.#advance()
  }

  /** Goes on with those who wait for their turn, as soon as nobody else is in flight. */
  async #advance(): Promise<void> {
    this.#setGate('suspects', true)
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    const isAlone = (): boolean =>
      this.#inFlight.size === this.#suspects.waiting + this.#overQuota.held
    while (isAlone() && !this.#suspects.isEmpty) this.#decode(await this.#suspects.next())
    this.#isAdvancing = false
    this.#setGate('suspects', !this.#suspects.isEmpty)
  }

  #leaveToQueue(message: ReceivedMessage, error: unknown): void {
    this.#inFlight.remove(message.id)
    this.#hasMoved()
    this.#options.observer.leftToQueue(message.id, error)
  }

  #checkRoom(): void {
    const { maxInFlightMessages, maxInFlightBytes } = this.#options.limits
    this.#setGate('in-flight-messages', this.#inFlight.size >= maxInFlightMessages)
    this.#setGate('in-flight-bytes', this.#inFlight.bytes >= maxInFlightBytes)
  }

  #setGate(reason: GateReason, isClosed: boolean): void {
    if (!this.#gate.set(reason, isClosed)) return
    // With the gate closed nothing comes that a batch could wait for.
    if (isClosed) this.#committer.hurry()
    this.#options.observer.gateChanged(this.#gate.isOpen, this.#gate.reasons)
  }

  /** Best effort: what a queue that does not answer is not told of, comes back later. */
  async #giveBack(): Promise<void> {
    await this.#options.queue.nack(this.#inFlight.receipts()).catch(() => undefined)
  }
}
