/**
 * The client, event type and id in a body, read without validating it: null where it is
 * not a JSON object or does not have them as text.
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
