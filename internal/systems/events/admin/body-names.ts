/**
 * What a body says of itself, without being judged: client, event type and id as text,
 * where it is a JSON object that has them.
 */
export interface BodyNames {
  readonly clientId: string | null
  readonly eventType: string | null
  readonly eventId: string | null
}

export function readBodyNames(body: string): BodyNames {
  const fields = parseObject(body)
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
  return {
    clientId: text(fields['client_id']),
    eventType: text(fields['event_type']),
    eventId: text(fields['event_id'])
  }
}

function parseObject(body: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(body)
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
