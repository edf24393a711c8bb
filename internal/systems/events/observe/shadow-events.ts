/**
 * What shadow schemas would have rejected: counted per schema, with an example in the log
 * every second.
 *
 * Labels are those of the schemas (event type/client/version) up to a cap, and `other`
 * beyond it; no payload is logged. Like `received`, the counts leave the worker with its
 * next report or commit, so a killed worker loses those since the last one.
 */
import type { ReceivedMessage } from '../../../engine/message/message.js'
import { MAX_LABEL_VALUES, OTHER_LABEL, type SumsOf } from '../../../engine/observe/counters.js'
import type { Log } from '../../../engine/observe/log.js'
import type { ShadowSchema } from '../schemas/payload-schemas.js'
import type { ProcessorCounter } from './counters.js'

export interface ShadowEvents {
  readonly checked: (
    shadow: ShadowSchema,
    message: ReceivedMessage,
    objection: string | null
  ) => void
  /** Logs what would have been rejected since the last call, if anything. */
  logSummary(): void
}

interface Objections {
  rejected: number
  readonly example: { readonly id: string; readonly keyword: string }
}

export function createShadowEvents({
  log,
  sums
}: {
  readonly log: Log
  readonly sums: SumsOf<ProcessorCounter>
}): ShadowEvents {
  const labels = new Set<string>()
  let objections = new Map<string, Objections>()

  return {
    checked({ label }, { id }, keyword) {
      if (labels.size < MAX_LABEL_VALUES) labels.add(label)
      const schema = labels.has(label) ? label : OTHER_LABEL
      sums.add('shadow_checked', 1, schema)
      if (keyword === null) return
      sums.add('shadow_rejected', 1, schema)
      const known = objections.get(schema)
      if (known === undefined) objections.set(schema, { rejected: 1, example: { id, keyword } })
      else known.rejected += 1
    },
    logSummary() {
      for (const [schema, { rejected, example }] of objections)
        log.info({ schema, rejected, example }, 'shadow schema would reject')
      objections = new Map()
    }
  }
}
