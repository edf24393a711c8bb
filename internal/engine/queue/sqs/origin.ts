/**
 * Where a redriven message comes from: the MessageId under which the queue first accepted
 * its event, carried as a message attribute.
 *
 * An event without `event_id` is stored under that id, so that its redriven copies, each
 * with a MessageId of its own, are one event.
 *
 * Errors  what is no usable id (not ours, or damaged) counts as absent: the message is
 *         then an event like any other.
 * Source  internal/docs/decisions/0010-redrive-origin.md
 */
import { isStorable } from '../../message/storable.js'

export const ORIGIN_ATTRIBUTE = 'event-process-origin'

/** As `message_id` of the table `message` allows it. */
const MAX_ORIGIN_BYTES = 255

export function readOrigin(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '' || Buffer.byteLength(value) > MAX_ORIGIN_BYTES)
    return undefined
  return isStorable(value) ? value : undefined
}
