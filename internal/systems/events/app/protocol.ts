/**
 * What the processor's workers report of their state, and what their primary tells them;
 * the rest of what they tell each other is the engine's (engine/cluster/protocol.ts,
 * intake-watch.ts).
 */
import type { DeathWord } from '../../../engine/cluster/intake-watch.js'
import type { GateReason } from '../../../engine/intake/gate.js'
import type { ClientSetting } from '../store/client-settings.js'

export interface WorkerStatus {
  readonly isReceiving: boolean
  readonly gateReasons: readonly GateReason[]
  /** Since the queue last answered a receive. */
  readonly sinceReceiveMs: number
  /** The code with which receives have failed since then; null while they do not. */
  readonly receiveProblem: string | null
}

export type PrimaryMessage =
  | DeathWord
  | { readonly kind: 'clients'; readonly rules: RulesForWorkers }

/** What operators have set for clients. */
export interface RulesForWorkers {
  readonly settings: readonly ClientSetting[]
  /** Workers that share each quota, this one among them. */
  readonly sharers: number
  /** The clients with metrics of their own; only ever added to. */
  readonly labels: readonly string[]
}
