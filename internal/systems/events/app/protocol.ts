/**
 * What the processor's workers and their primary tell each other besides stop and report
 * (engine/cluster/protocol.ts).
 *
 * A worker announces each transaction before its COMMIT. If it dies before it can tell
 * the outcome, the primary asks the database, so that the totals equal the tables after a
 * kill -9 too.
 */
import type { SuspectDeaths } from '../../../engine/cluster/deaths.js'
import type { GateReason } from '../../../engine/intake/gate.js'
import type { Counts } from '../../../engine/observe/counters.js'
import type { ClientSetting } from '../store/client-settings.js'

export type WorkerMessage =
  /** A transaction is about to commit; `counts` is what it adds if it does. */
  | { readonly kind: 'committing'; readonly tx: string; readonly counts: Counts }
  /**
   * This announced transaction has its outcome; `counts` are the worker's sums with it.
   */
  | { readonly kind: 'decided'; readonly tx: string; readonly counts: Counts }
  /**
   * From now on this message is examined alone, because it was received often without an
   * outcome; null: none is.
   */
  | { readonly kind: 'examining'; readonly messageId: string | null }

export interface WorkerStatus {
  readonly isReceiving: boolean
  readonly gateReasons: readonly GateReason[]
  /** Since the queue last answered a receive. */
  readonly sinceReceiveMs: number
  /** The code with which receives have failed since then; null while they do not. */
  readonly receiveProblem: string | null
}

export type PrimaryMessage =
  /** So many workers have died while they examined this message. */
  | ({ readonly kind: 'death' } & SuspectDeaths)
  | { readonly kind: 'clients'; readonly rules: RulesForWorkers }

/** What operators have set for clients. */
export interface RulesForWorkers {
  readonly settings: readonly ClientSetting[]
  /** Workers that share each quota, this one among them. */
  readonly sharers: number
  /** The clients with metrics of their own; only ever added to. */
  readonly labels: readonly string[]
}
