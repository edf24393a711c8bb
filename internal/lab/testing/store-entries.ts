/** Entries for a Store, with only the fields that a test is about. */
import type { Store } from '../../engine/intake/store.js'
import type {
  Disposition,
  Entry,
  ReceivedMessage,
  Rejection,
  Verdict
} from '../../engine/message/message.js'

/** When the queue accepted each of these messages. */
export const SENT_AT_MS = 1_700_000_000_123

export interface TestDelivery {
  /** The queue's MessageId. */
  readonly queueId?: string
  readonly receiveCount?: number
  readonly body?: string
  readonly origin?: string
}

export function makeEntry<Item, Refused extends Rejection>(
  verdict: Verdict<Item, Refused>,
  { queueId = 'queue-id', receiveCount = 1, body = 'the body', ...origin }: TestDelivery = {}
): Entry<Item, Refused> {
  const message: ReceivedMessage = {
    id: queueId,
    token: 'handle',
    body,
    bytes: Buffer.byteLength(body),
    receiveCount,
    sentAtMs: SENT_AT_MS,
    ...origin
  }
  return { message, verdict }
}

/** Writes a batch in one transaction. */
export async function insert<Item, Refused extends Rejection>(
  store: Pick<Store<Item, Refused>, 'prepare'>,
  ...batch: readonly Entry<Item, Refused>[]
): Promise<readonly Disposition[]> {
  const prepared = await store.prepare(batch)
  await prepared.commit()
  return prepared.dispositions
}
