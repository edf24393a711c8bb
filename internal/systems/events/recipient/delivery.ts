/**
 * One delivery as the recipient read it, and the line that shows it: text for a person,
 * JSON for a program. The sender's texts are not trusted: characters that could control a
 * terminal are replaced.
 */
export interface ReceivedDelivery {
  readonly receivedAt: Date
  readonly path: string
  readonly webhookId: string | null
  readonly eventType: string | null
  readonly eventId: string | null
  readonly clientId: string | null
  /** Null: not checked. */
  readonly isValid: boolean | null
  /** Why it is not valid. */
  readonly why: string | null
  /** How often it has come, this time included; 0 if it is not genuine. */
  readonly seen: number
  readonly status: number
}

/** A line of the ledger: an accepted delivery. */
export interface RecipientLedgerEntry {
  readonly webhookId: string | null
  readonly path: string
  readonly eventId: string | null
  readonly clientId: string | null
  readonly eventType: string | null
  readonly valid: boolean | null
  readonly receivedAt: string
}

const MAX_SHOWN_CHARACTERS = 60

export function formatReceived(delivery: ReceivedDelivery, isPretty: boolean): string {
  return isPretty ? prettyLine(delivery) : jsonLine(delivery)
}

function jsonLine({
  receivedAt,
  path,
  webhookId,
  eventType,
  eventId,
  clientId,
  isValid,
  why,
  seen,
  status
}: ReceivedDelivery): string {
  return JSON.stringify({
    msg: 'delivery',
    receivedAt: receivedAt.toISOString(),
    path,
    webhookId,
    eventType,
    eventId,
    clientId,
    valid: isValid,
    ...(why === null ? {} : { why }),
    seen,
    status
  })
}

function prettyLine({
  receivedAt,
  path,
  webhookId,
  eventType,
  clientId,
  isValid,
  why,
  seen,
  status
}: ReceivedDelivery): string {
  const validity = isValid === null ? 'not checked' : isValid ? 'valid' : `NOT VALID: ${why ?? ''}`
  const parts = [
    receivedAt.toISOString().slice(11, 23),
    String(status),
    shown(eventType),
    shown(clientId),
    shown(webhookId),
    shown(path),
    validity,
    ...(seen > 1 ? [`seen ${seen} times`] : [])
  ]
  return parts.join('  ')
}

function shown(text: string | null): string {
  if (text === null) return '-'
  return text.slice(0, MAX_SHOWN_CHARACTERS).replaceAll(/[\p{C}\p{Z}]/gu, '?')
}

/** The event that the envelope names; a missing or wrong field is null. */
export function readEnvelope(
  body: string
): Pick<ReceivedDelivery, 'eventType' | 'eventId' | 'clientId'> {
  let envelope: unknown = null
  try {
    envelope = JSON.parse(body)
  } catch {
    // A body that is not JSON has no fields.
  }
  const fields =
    typeof envelope === 'object' && envelope !== null
      ? (envelope as Readonly<Record<string, unknown>>)
      : {}
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
  return {
    eventType: text(fields['type']),
    eventId: text(fields['id']),
    clientId: text(fields['client'])
  }
}
