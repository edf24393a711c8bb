/**
 * What the simulation needs to know of a system: how it decodes and refuses, what its
 * database decides, and what may be sent to it.
 */
import type { SendWord } from '../../engine/cluster/intake-reporter.js'
import type { OpenAdmission } from '../../engine/intake/admission.js'
import type { CommitJournal } from '../../engine/intake/committer.js'
import type { IntakeObserver } from '../../engine/intake/observer.js'
import type { IntakeOptions } from '../../engine/intake/options.js'
import type { Clock } from '../../engine/lifecycle/clock.js'
import type { Rejection } from '../../engine/message/message.js'
import type { QueueWriter } from '../../engine/queue/queue.js'
import type { ItemKey, ItemRules } from '../testing/kept-rows.js'
import type { Dice } from './dice.js'

export interface SimulatedSystem<Item, Refused extends Rejection = Rejection>
  extends Pick<IntakeOptions<Item, Refused>, 'decode' | 'refuse'> {
  readonly lineOf: IntakeOptions<Item, Refused>['turns']['lineOf']
  readonly rules: ItemRules<Item, Refused>
  /** Every reason for which it rejects. */
  readonly reasons: readonly string[]
  readonly bodies: SimulatedBodies
  /** Null where nobody is held back. */
  readonly quotas: SimulatedQuotas<Item, Refused> | null
  /** A worker's real counters; `send` hands a word to the primary. */
  readonly observe: (setup: ObserveSetup) => SimulatedCounting<Item, Refused>
}

/** What may be sent. */
export interface SimulatedBodies {
  /** Who sends: the first one most, the last one mostly nonsense. */
  readonly senders: readonly [string, string, string]
  /** A valid body; `ids` says how few ids there are, so that keys meet. */
  readonly good: (sender: string, queueId: string, ids: number, dice: Dice) => GoodBody
  readonly bad: readonly BadBody[]
  /** Valid as well; the database or the process minds it. */
  readonly poison: (sender: string, queueId: string, kind: string) => string
}

export interface GoodBody {
  readonly body: string
  readonly key: ItemKey
  readonly content: string
}

export interface BadBody {
  readonly reason: string
  /** Whether it counts against the quota of its sender before it is refused. */
  readonly isMeasured: boolean
  readonly body: (sender: string, queueId: string) => string
}

/** What is set for one sender. */
export interface SenderRule {
  readonly weight: number
  readonly quota: SenderQuota | null
}

export interface SenderQuota {
  readonly maxItemsPerS: number | null
  readonly maxBytesPerS: number | null
  /** What becomes of the rest. */
  readonly over: 'delay' | 'reject'
}

export type SenderRules = Readonly<Record<string, SenderRule>>

export interface SimulatedQuotas<Item, Refused extends Rejection = Rejection> {
  /** The reason for which it rejects what is over a quota. */
  readonly reason: string
  readonly admission: (setup: QuotaSetup) => OpenAdmission<Item, Refused>
}

export interface QuotaSetup {
  readonly rules: SenderRules
  readonly writer: Pick<QueueWriter, 'send' | 'limits'>
  readonly clock: Clock
  readonly random: () => number
}

export interface ObserveSetup {
  readonly clock: Clock
  readonly send: SendWord
}

export interface SimulatedCounting<Item, Refused extends Rejection = Rejection> {
  readonly observer: IntakeObserver<Item, Refused>
  readonly journal: CommitJournal<Item, Refused>
}
