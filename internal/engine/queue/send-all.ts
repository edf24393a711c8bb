/**
 * Sends a list of things once, each as its message, and sorts them by what became of it.
 *
 * Errors  none of the queue's: a failed call is an outcome of its messages. Whether it
 *         was accepted nobody knows then; a message that is sent again after it may be in
 *         the queue twice.
 */
import type { OutgoingMessage, QueueWriter, SendOutcome } from './queue.js'

/** The queue has confirmed it, under this id. */
export interface SentItem<Item> {
  readonly item: Item
  readonly id: string
}

/** The queue has not taken it, for this reason. */
export interface UnsentItem<Item> {
  readonly item: Item
  readonly code: string
}

export interface SendReport<Item> {
  readonly sent: readonly SentItem<Item>[]
  /** The queue will never take these. */
  readonly refused: readonly UnsentItem<Item>[]
  /** These may be taken later. */
  readonly failed: readonly UnsentItem<Item>[]
}

/** An outcome that an adapter has left out. */
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
