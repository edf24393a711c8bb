/**
 * The message group of a client: its turn in a fair queue.
 *
 * Source  Amazon SQS API reference, MessageGroupId: 1 to 128 letters, digits and ASCII
 *         punctuation. What a client's name has beyond that is not lost on anybody, since
 *         nobody reads a client back from its group: such a name is sent as its hash.
 */
import { hash } from 'node:crypto'

const GROUP_ID = /^[!-~]{1,128}$/

export function toGroupId(group: string): string {
  return GROUP_ID.test(group) ? group : hash('sha256', group)
}
