/**
 * The origin of a copy: the id under which its message was first accepted. It travels
 * beside the body, as an attribute or header of this name.
 *
 * A message whose body names no id of its own is known by its origin, so that its copies,
 * each with an id that the queue gave it, are one.
 *
 * Errors  what is no usable id (not ours, or damaged) counts as absent: the message is
 *         then one like any other.
 * Source  internal/docs/decisions/0010-redrive-origin.md
 */
import { isStorable } from '../message/storable.js'

export const ORIGIN_ATTRIBUTE = 'event-process-origin'

/** As columns of ids allow it. */
const MAX_ORIGIN_BYTES = 255

export function readOrigin(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '' || Buffer.byteLength(value) > MAX_ORIGIN_BYTES)
    return undefined
  return isStorable(value) ? value : undefined
}
