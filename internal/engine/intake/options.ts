/**
 * The options of an intake: the parts of its system, and surroundings such as the queue.
 */
import type { Clock } from '../lifecycle/clock.js'
import type { ReceivedMessage, Rejection, Verdict } from '../message/message.js'
import type { Queue } from '../queue/queue.js'
import type { OpenAdmission } from './admission.js'
import type { BatchLimits } from './batch.js'
import type { CommitJournal, Refuse } from './committer.js'
import type { IntakeObserver } from './observer.js'
import type { Store } from './store.js'
import type { SuspectRecord } from './suspects.js'
import type { Turns } from './turns.js'

export interface IntakeLimits {
  readonly batch: BatchLimits
  /**
   * Receiving pauses at this much work in flight; one more receive per poller may still
   * come in.
   */
  readonly maxInFlightMessages: number
  readonly maxInFlightBytes: number
  readonly settleConcurrency: number
  readonly settleLingerMs: number
}

export interface IntakeOptions<Item, Refused extends Rejection = Rejection> {
  readonly queue: Queue
  /** Pure; does not throw for any body. */
  readonly decode: (message: ReceivedMessage) => Verdict<Item, Refused>
  readonly admission: OpenAdmission<Item, Refused>
  readonly turns: Turns<Item, Refused>
  readonly store: Store<Item, Refused>
  readonly refuse: Refuse<Item, Refused>
  readonly clock: Clock
  readonly random: () => number
  readonly limits: IntakeLimits
  readonly journal: CommitJournal<Item, Refused>
  readonly suspectRecord: SuspectRecord
  readonly observer: IntakeObserver<Item, Refused>
}
