/**
 * What the simulation needs to know about a system: how it decodes and refuses, what its
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
  /** Null if the system has no quotas. */
  readonly quotas: SimulatedQuotas<Item, Refused> | null
  /** A worker's real counters; `send` sends a message to the primary. */
  readonly observe: (setup: ObserveSetup) => SimulatedCounting<Item, Refused>
}

/** What may be sent. */
export interface SimulatedBodies {
  /** The senders: the first sends most, the last mostly invalid bodies. */
  readonly senders: readonly [string, string, string]
  /** A valid body; `ids` is the number of ids, kept small so that keys collide. */
  readonly good: (sender: string, queueId: string, ids: number, dice: Dice) => GoodBody
  readonly bad: readonly BadBody[]
  /** Also valid, but the database refuses it or it kills the process. */
  readonly poison: (sender: string, queueId: string, kind: string) => string
}

export interface GoodBody {
  readonly body: string
  readonly key: ItemKey
  readonly content: string
}

export interface BadBody {
  readonly reason: string
  /** Whether it counts against its sender's quota before it is refused. */
  readonly isMeasured: boolean
  readonly body: (sender: string, queueId: string) => string
}

/** The settings of one sender. */
export interface SenderRule {
  readonly weight: number
  readonly quota: SenderQuota | null
}

export interface SenderQuota {
  readonly maxItemsPerS: number | null
  readonly maxBytesPerS: number | null
  /** What happens to the rest. */
  readonly over: 'delay' | 'reject'
}

export type SenderRules = Readonly<Record<string, SenderRule>>

export interface SimulatedQuotas<Item, Refused extends Rejection = Rejection> {
  /** The reason of rejections over a quota. */
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
