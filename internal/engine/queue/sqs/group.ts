/**
 * The group of a message as SQS takes it (MessageGroupId): its turn in a fair queue.
 *
 * Source  Amazon SQS API reference, MessageGroupId: 1 to 128 letters, digits and ASCII
 *         punctuation. Any other name is sent as its hash; nothing reads the name back
 *         from the group.
 */
import { hash } from 'node:crypto'

const GROUP_ID = /^[!-~]{1,128}$/

export function toGroupId(group: string): string {
  return GROUP_ID.test(group) ? group : hash('sha256', group)
}
