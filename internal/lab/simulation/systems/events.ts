/** Events in the simulation: three clients and two event types, with quotas. */
import type { OpenAdmission } from '../../../engine/intake/admission.js'
import { createLog } from '../../../engine/observe/log.js'
import { createDecoder } from '../../../systems/events/event/decode.js'
import {
  clientOf,
  type EventRejection,
  REJECTION_REASONS,
  type ValidEvent
} from '../../../systems/events/event/event.js'
import { ClientMetrics } from '../../../systems/events/observe/client-metrics.js'
import { createIntakeEvents } from '../../../systems/events/observe/intake-events.js'
import type { Quota } from '../../../systems/events/quota/client-rules.js'
import { QuotaGate } from '../../../systems/events/quota/quota-gate.js'
import { refuseUnstorable } from '../../../systems/events/store/refusal.js'
import { eventRules } from '../../testing/memory-event-store.js'
import type { Dice } from '../dice.js'
import type { GoodBody, QuotaSetup, SenderRule, SimulatedSystem } from '../system.js'

const CLIENTS = ['client-1', 'client-2', 'client-3'] as const
const EVENT_TYPES = ['user-app', 'monitor-app'] as const

const rules = eventRules({
  clients: new Set<string>(CLIENTS),
  eventTypes: new Set<string>(EVENT_TYPES),
  disabledClients: new Set(),
  disabledEventTypes: new Set()
})
const log = createLog('simulation', { level: 'silent', format: 'json' }, false)
const unseen = { observe: () => undefined }
const metrics = {
  batchRows: unseen,
  commitSeconds: unseen,
  queueDwellSeconds: unseen,
  clients: new ClientMetrics()
}

export const SIMULATED_EVENTS: SimulatedSystem<ValidEvent, EventRejection> = {
  decode: createDecoder({ payloadSchemas: { find: () => null } }),
  refuse: refuseUnstorable,
  lineOf: clientOf,
  rules,
  reasons: REJECTION_REASONS,
  bodies: {
    senders: CLIENTS,
    good,
    bad: [
      { reason: 'not-json', isMeasured: false, body: (_client, id) => `no event: ${id}` },
      { reason: 'not-an-object', isMeasured: false, body: (_client, id) => `["${id}"]` },
      { reason: 'missing-field', isMeasured: false, body: client => bodyOf(client, 'user-app') },
      {
        reason: 'invalid-field',
        isMeasured: false,
        body: client => bodyOf(client, 'user-app', '"message":7')
      },
      {
        reason: 'unknown-client',
        isMeasured: false,
        body: () => bodyOf('nobody', 'user-app', '"message":"hello"')
      },
      {
        reason: 'unknown-event-type',
        isMeasured: true,
        body: client => bodyOf(client, 'nothing', '"message":"hello"')
      }
    ],
    poison: (client, id, kind) =>
      bodyOf(client, 'user-app', `"event_id":"${kind}-${id}"`, `"message":"${kind}"`)
  },
  quotas: { reason: 'over-quota', admission },
  observe: ({ clock, send }) => createIntakeEvents({ log, clock, metrics, send })
}

function bodyOf(client: string, eventType: string, ...more: readonly string[]): string {
  return `{${[`"event_type":"${eventType}"`, `"client_id":"${client}"`, ...more].join()}}`
}

function good(clientId: string, queueId: string, ids: number, dice: Dice): GoodBody {
  const eventType = dice.pick(EVENT_TYPES)
  const eventId = dice.chance(0.75) ? `event-${dice.below(ids)}` : null
  // The same id usually comes with the same payload and type (a duplicate), sometimes
  // with others (a conflict).
  const variant = dice.chance(0.1) ? dice.below(3) : 0
  const type = eventId === null || variant === 2 ? eventType : EVENT_TYPES[0]
  const payload =
    eventId === null ? `{ "of" : "${queueId}" }` : `{"of":"${eventId}", "price":1.${variant}0}`
  const body = `{"event_type":"${type}","client_id":"${clientId}",${eventId === null ? '' : `"event_id":"${eventId}",`} "message":${payload}}`
  const messageId = eventId ?? queueId
  const event: ValidEvent = { clientId, eventType: type, messageId, payload, schemaId: null }
  return { body, key: rules.keyOf(event), content: rules.contentOf(event) }
}

function admission({ rules, ...setup }: QuotaSetup): OpenAdmission<ValidEvent, EventRejection> {
  const quotas = new Map(Object.entries(rules).map(([client, rule]) => [client, quotaOf(rule)]))
  const observer = { sentLater: () => undefined, sendFailed: () => undefined }
  const clientRules = {
    hasQuotas: Object.values(rules).some(({ quota }) => quota !== null),
    weightOf: (client: string) => rules[client]?.weight ?? 1,
    quotaOf: (client: string) => quotas.get(client) ?? null
  }
  return desk => new QuotaGate({ ...setup, observer, rules: clientRules }, desk)
}

function quotaOf({ quota }: SenderRule): Quota | null {
  if (quota === null) return null
  return {
    maxEventsPerS: quota.maxItemsPerS,
    maxBytesPerS: quota.maxBytesPerS,
    overQuota: quota.over
  }
}
