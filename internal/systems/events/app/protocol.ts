/**
 * What the processor's primary sends its workers. The engine's own messages are in
 * engine/cluster/protocol.ts and intake-watch.ts.
 */
import type { DeathWord } from '../../../engine/cluster/intake-watch.js'
import type { ClientSetting } from '../store/client-settings.js'

export type PrimaryMessage =
  | DeathWord
  | { readonly kind: 'clients'; readonly rules: RulesForWorkers }

/** What operators set for clients. */
export interface RulesForWorkers {
  readonly settings: readonly ClientSetting[]
  /** How many workers share each quota, this one included. */
  readonly sharers: number
  /** The clients with metrics of their own; the list only grows. */
  readonly labels: readonly string[]
}
