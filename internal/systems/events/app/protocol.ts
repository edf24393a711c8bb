/**
 * What the processor's primary tells its workers. The rest of what they tell each other
 * is the engine's (engine/cluster/protocol.ts, intake-watch.ts).
 */
import type { DeathWord } from '../../../engine/cluster/intake-watch.js'
import type { ClientSetting } from '../store/client-settings.js'

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
