/**
 * Checks invariant I5 on the running system: when the processor deletes a message, the
 * message's row is already visible to another session.
 *
 * Shapes  messages as they come from the queue, then the receipt handles of each delete
 *         before it is passed on.
 * Limit   while the database is down nothing can be checked; those deletes are checked
 *         when it is back.
 */
import type { SeenMessage } from './queue-proxy.js'

/** What identifies the row of a message. */
export interface Whereabouts {
  readonly queueMessageId: string
  /** Null where the body names none: then only a rejection can be the row. */
  readonly clientId: string | null
  readonly messageId: string
}

export interface DeleteCheckOptions {
  /** Returns the messages that have no row. Rejects while the database is down. */
  readonly findMissing: (
    messages: readonly Whereabouts[]
  ) => Promise<readonly Pick<Whereabouts, 'queueMessageId'>[]>
  readonly onMissing: (queueMessageIds: readonly string[]) => void
}

export const FIND_MISSING = `
SELECT queue_message_id AS "queueMessageId"
FROM unnest($1::text[], $2::text[], $3::text[]) AS deleted (queue_message_id, client_id, message_id)
WHERE NOT EXISTS (
  SELECT FROM message m
  WHERE m.fk_client_name = deleted.client_id AND m.message_id = deleted.message_id)
  AND NOT EXISTS (SELECT FROM rejection r WHERE r.queue_message_id = deleted.queue_message_id)`

export class DeleteCheck {
  readonly #options: DeleteCheckOptions
  /** Received and not checked yet. */
  readonly #byHandle = new Map<string, Whereabouts>()
  readonly #toCatchUp = new Set<string>()
  checked = 0

  constructor(options: DeleteCheckOptions) {
    this.#options = options
  }

  received(messages: readonly SeenMessage[]): void {
    for (const { MessageId, ReceiptHandle, Body } of messages)
      this.#byHandle.set(ReceiptHandle, whereaboutsOf(MessageId, Body))
  }

  /**
   * A retried delete is checked too while the earlier check is pending: either may be the
   * one that takes effect.
   */
  async deleting(receiptHandles: readonly string[]): Promise<void> {
    const messages = receiptHandles.flatMap(handle => this.#byHandle.get(handle) ?? [])
    if (messages.length === 0) return
    try {
      const missing = await this.#options.findMissing(messages)
      const firstLooks = receiptHandles.filter(handle => this.#byHandle.delete(handle)).length
      this.checked += firstLooks
      if (firstLooks > 0 && missing.length > 0)
        this.#options.onMissing(missing.map(({ queueMessageId }) => queueMessageId))
    } catch {
      for (const handle of receiptHandles) this.#toCatchUp.add(handle)
    }
  }

  /** Checks the deletes that could not be checked before. */
  async catchUp(): Promise<void> {
    const handles = [...this.#toCatchUp]
    this.#toCatchUp.clear()
    await this.deleting(handles)
  }
}

function whereaboutsOf(queueMessageId: string, body: string): Whereabouts {
  const { client_id: clientId, event_id: eventId } = fieldsOf(body)
  return {
    queueMessageId,
    clientId: typeof clientId === 'string' && !clientId.includes('\0') ? clientId : null,
    messageId: typeof eventId === 'string' && !eventId.includes('\0') ? eventId : queueMessageId
  }
}

function fieldsOf(body: string): { readonly client_id?: unknown; readonly event_id?: unknown } {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
