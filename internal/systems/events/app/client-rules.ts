/**
 * Carries what operators set for clients from the database to the workers, at once and
 * without a restart.
 */

import { watchTable } from '../../../engine/cluster/watch-table.js'
import type { Clock } from '../../../engine/lifecycle/clock.js'
import { onAbort } from '../../../engine/lifecycle/interrupt.js'
import type { Log } from '../../../engine/observe/log.js'
import type { ClientRules, Quota } from '../quota/client-rules.js'
import type { ClientSettings } from '../store/client-settings.js'
import { createClientSettingsSource } from '../store/postgres-client-settings.js'
import type { RulesForWorkers } from './protocol.js'

/**
 * Finds changes whose notification was lost. A processor that has ended counts until
 * then.
 */
const LOOK_EVERY_MS = 10_000

export interface FollowClientRulesOptions {
  readonly connectionString: string
  readonly workers: number
  readonly maxLabels: number
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  readonly onChanged: (rules: RulesForWorkers) => void
}

/**
 * Follows the table until `signal` aborts. A failed read changes nothing: the last rules
 * stay in force.
 */
export function followClientRules(options: FollowClientRulesOptions): void {
  const { workers, maxLabels, clock, log, signal, onChanged } = options
  const source = createClientSettingsSource({
    connectionString: options.connectionString,
    onNews: () => watch.lookSoon()
  })
  const labels = new Set<string>()
  let told = ''

  const tell = ({ settings, processors, names }: ClientSettings): void => {
    for (const name of names) if (labels.size < maxLabels) labels.add(name)
    const rules = { settings, sharers: workers * processors, labels: [...labels] }
    const now = JSON.stringify(rules)
    if (now === told) return
    if (told !== '' || settings.length > 0)
      log.info({ clients: settings.length, processors }, 'weights and quotas in force')
    told = now
    onChanged(rules)
  }
  const watch = watchTable({
    look: async () => tell(await source.read(maxLabels)),
    lookEveryMs: LOOK_EVERY_MS,
    onFailed: error => log.debug({ reason: String(error) }, 'weights and quotas not read'),
    clock,
    signal
  })
  onAbort(signal, () => void source.close())
  watch.lookSoon()
  watch.begin()
}

export interface WorkerClientRules extends ClientRules {
  replace(rules: RulesForWorkers): void
}

/** A worker's side. No rule is set until the primary sends some. */
export function createClientRules(): WorkerClientRules {
  let weights = new Map<string, number>()
  let quotas = new Map<string, Quota>()
  return {
    get hasQuotas() {
      return quotas.size > 0
    },
    weightOf: client => weights.get(client) ?? 1,
    quotaOf: client => quotas.get(client) ?? null,
    replace({ settings, sharers }) {
      const before = quotas
      weights = new Map(settings.map(({ client, weight }) => [client, weight]))
      quotas = new Map()
      for (const { client, maxEventsPerS, maxBytesPerS, overQuota } of settings) {
        if (maxEventsPerS === null && maxBytesPerS === null) continue
        const share = (perSecond: number | null): number | null =>
          perSecond === null ? null : perSecond / sharers
        const quota: Quota = {
          maxEventsPerS: share(maxEventsPerS),
          maxBytesPerS: share(maxBytesPerS),
          overQuota
        }
        const known = before.get(client)
        // An unchanged quota keeps its object, so what its account has already used still
        // counts.
        quotas.set(client, known !== undefined && isSame(known, quota) ? known : quota)
      }
    }
  }
}

function isSame(a: Quota, b: Quota): boolean {
  return (
    a.maxEventsPerS === b.maxEventsPerS &&
    a.maxBytesPerS === b.maxBytesPerS &&
    a.overQuota === b.overQuota
  )
}
