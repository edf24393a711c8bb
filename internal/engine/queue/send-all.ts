/**
 * Sends a list of items once, each as one message, and sorts them by outcome.
 *
 * Errors  none of the queue's: a failed call is an outcome of its messages. Nobody knows
 *         then whether the queue accepted them; a message sent again may be in the queue
 *         twice.
 */
import type { OutgoingMessage, QueueWriter, SendOutcome } from './queue.js'

/** The queue has confirmed it, under this id. */
export interface SentItem<Item> {
  readonly item: Item
  readonly id: string
}

/** The queue has not accepted it, for this reason. */
export interface UnsentItem<Item> {
  readonly item: Item
  readonly code: string
}

export interface SendReport<Item> {
  readonly sent: readonly SentItem<Item>[]
  /** The queue will never accept these. */
  readonly refused: readonly UnsentItem<Item>[]
  /** The queue may accept these later. */
  readonly failed: readonly UnsentItem<Item>[]
}

/** Of a message to which the adapter gave no outcome. */
const NO_OUTCOME: SendOutcome = { code: 'NoOutcome', retryable: true }

export async function sendAll<Item>(
  items: readonly Item[],
  toMessage: (item: Item) => OutgoingMessage,
  writer: Pick<QueueWriter, 'send'>
): Promise<SendReport<Item>> {
  const outcomes = await writer.send(items.map(toMessage))
  const sent: SentItem<Item>[] = []
  const refused: UnsentItem<Item>[] = []
  const failed: UnsentItem<Item>[] = []
  for (const [index, item] of items.entries()) {
    const outcome = outcomes[index] ?? NO_OUTCOME
    if ('id' in outcome) sent.push({ item, id: outcome.id })
    else (outcome.retryable ? failed : refused).push({ item, code: outcome.code })
  }
  return { sent, refused, failed }
}
