/**
 * The origin of a copy: the id under which its message was first accepted. It travels
 * next to the body, in an attribute or header of this name.
 *
 * A message whose body has no id of its own is identified by its origin, so that its
 * copies, each with a new id from the queue, count as one.
 *
 * Errors  an unusable origin (not ours, or damaged) counts as absent.
 * Source  internal/docs/decisions/0010-redrive-origin.md
 */
import { isStorable } from '../message/storable.js'

export const ORIGIN_ATTRIBUTE = 'event-process-origin'

/** The limit of the id columns. */
const MAX_ORIGIN_BYTES = 255

export function readOrigin(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '' || Buffer.byteLength(value) > MAX_ORIGIN_BYTES)
    return undefined
  return isStorable(value) ? value : undefined
}
