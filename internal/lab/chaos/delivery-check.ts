/**
 * Checks that each stored event has reached each endpoint that should get it, from the
 * recipient's ledger and the tables alone.
 *
 * Shapes  the owed deliveries in commit order and the ledger's lines in their order go
 *         in; figures and faults come out. One event at one endpoint is one delivery,
 *         identified by path, client and message id.
 */
import type { RecipientLedgerEntry } from '../../systems/events/recipient/delivery.js'

/** A message and an endpoint that should get it, with the delivery between them. */
export interface Owed {
  readonly path: string
  readonly isOrdered: boolean
  readonly client: string
  readonly messageId: string
  readonly eventType: string
  /** Null: there is none. */
  readonly state: 'pending' | 'delivered' | 'dead' | null
  /** Whether a successful attempt is recorded. */
  readonly hasSuccess: boolean
}

/** What else the tables hold. */
export interface DeliveryRows {
  readonly deliveries: number
  readonly attempts: number
  /** Attempts that the recipient refused for an invalid signature. */
  readonly refused: number
  readonly disabledEndpoints: number
}

const FAULTS = {
  lost: 'owed, but not in the ledger',
  withoutDelivery: 'owed, but without a delivery row',
  pending: 'not delivered yet',
  dead: 'given up',
  withoutSuccess: 'delivered, but without a recorded successful attempt',
  tooMany: 'delivery rows that nobody is owed',
  notOwed: 'accepted by an endpoint that should not have got it',
  notSigned: 'without a valid signature',
  otherIds: 'repeats with another webhook-id, or one webhook-id for two deliveries',
  outOfOrder: 'first accepted by an ordered endpoint after a later one',
  disabledEndpoints: 'endpoints that are no longer enabled'
} as const
export type DeliveryFault = keyof typeof FAULTS

export interface DeliveryReport {
  readonly owed: number
  /** Owed deliveries that the ledger has. */
  readonly delivered: number
  /** Lines of the ledger beyond the first of each delivery. */
  readonly repeated: number
  /** Recorded attempts. */
  readonly attempts: number
  readonly faults: Readonly<Record<DeliveryFault, number>>
  /** The first example of each fault. */
  readonly examples: readonly string[]
}

// This states who should get what independently of the fan-out, which is under test.
export const READ_OWED = `
SELECT substring(e.url FROM '^http://[^/]+(.*)$') AS path, e.is_ordered AS "isOrdered",
       m.fk_client_name AS client, m.message_id AS "messageId",
       m.fk_event_type_name AS "eventType", d.state, EXISTS (
         SELECT FROM delivery_attempt a WHERE a.delivery_id = d.id AND a.status BETWEEN 200 AND 299
       ) AS "hasSuccess"
FROM message m
CROSS JOIN endpoint e
LEFT JOIN delivery d ON d.fk_client_name = m.fk_client_name AND d.message_id = m.message_id AND d.endpoint_id = e.id
WHERE e.fk_client_name = m.fk_client_name
  AND m.fk_event_type_name
      = ANY (coalesce(e.event_types, ARRAY(SELECT name::text FROM event_type)))
ORDER BY m.tx, m.fk_client_name, m.message_id`

export const READ_DELIVERY_ROWS = `
SELECT (SELECT count(*)::int FROM delivery) AS deliveries, (SELECT count(*)::int FROM delivery_attempt) AS attempts,
       (SELECT count(*)::int FROM delivery_attempt WHERE status = 401) AS refused,
       (SELECT count(*)::int FROM endpoint WHERE state <> 'enabled') AS "disabledEndpoints"`

/** Counts owed deliveries, and how many of them are finished. */
export const COUNT_OWED = `
SELECT (SELECT count(*)::int FROM message m JOIN endpoint e ON e.fk_client_name = m.fk_client_name
        AND m.fk_event_type_name = ANY (coalesce(e.event_types, ARRAY[m.fk_event_type_name]))) AS owed,
       (SELECT count(*)::int FROM delivery WHERE state <> 'pending') AS finished`

/** The state of checking one delivery. */
interface Looked {
  readonly owed: Owed
  readonly nth: number
  webhookId: string | null
}

export async function checkDeliveries(
  owed: readonly Owed[],
  ledger: AsyncIterable<RecipientLedgerEntry>,
  rows: DeliveryRows
): Promise<DeliveryReport> {
  const faults = Object.fromEntries(Object.keys(FAULTS).map(fault => [fault, 0])) as Record<
    DeliveryFault,
    number
  >
  const examples: string[] = []
  const found = (fault: DeliveryFault, example: string, count = 1): void => {
    if (count > 0 && faults[fault] === 0) examples.push(`${FAULTS[fault]}, such as ${example}`)
    faults[fault] += count
  }
  const looked = new Map<string, Looked>()
  for (const [nth, one] of owed.entries()) {
    const name = nameOf(one.path, one.client, one.messageId)
    looked.set(name, { owed: one, nth, webhookId: null })
    if (one.state === null) found('withoutDelivery', name)
    else if (one.state !== 'delivered') found(one.state, name)
    else if (!one.hasSuccess) found('withoutSuccess', name)
  }

  const usedFor = new Map<string, string>()
  const latest = new Map<string, number>()
  let delivered = 0
  let repeated = 0
  for await (const { path, clientId, eventId, eventType, valid, webhookId } of ledger) {
    const name = nameOf(path, clientId ?? '', eventId ?? '')
    if (valid !== true) found('notSigned', name)
    const one = looked.get(name)
    if (one === undefined || one.owed.eventType !== eventType) {
      found('notOwed', name)
      continue
    }
    const id = webhookId ?? ''
    if ((usedFor.get(id) ?? name) !== name || (one.webhookId ?? id) !== id)
      found('otherIds', `${name} as ${id}`)
    usedFor.set(id, name)
    if (one.webhookId !== null) {
      repeated += 1
      continue
    }
    one.webhookId = id
    delivered += 1
    if (!one.owed.isOrdered) continue
    if (one.nth < (latest.get(path) ?? -1)) found('outOfOrder', name)
    latest.set(path, Math.max(one.nth, latest.get(path) ?? -1))
  }
  for (const [name, { webhookId }] of looked) if (webhookId === null) found('lost', name)

  found(
    'tooMany',
    'those of the table',
    rows.deliveries - owed.filter(({ state }) => state !== null).length
  )
  found('notSigned', 'attempts answered with 401', rows.refused)
  found('disabledEndpoints', 'those of the table', rows.disabledEndpoints)
  return { owed: owed.length, delivered, repeated, attempts: rows.attempts, faults, examples }
}

function nameOf(path: string, client: string, messageId: string): string {
  return JSON.stringify([path, client, messageId])
}

const isTextOrNull = (value: unknown): boolean => value === null || typeof value === 'string'

/** What is wrong with a line of the recipient's ledger. */
export function problemOfLine(value: unknown): string | null {
  const line = (value ?? {}) as Record<string, unknown>
  const texts = ['webhookId', 'eventId', 'clientId', 'eventType'] as const
  const wrong = texts.filter(name => !isTextOrNull(line[name]))
  if (typeof line['path'] === 'string' && wrong.length === 0) return null
  return `${['path', ...wrong].join(', ')} missing or of the wrong type`
}
