/**
 * Decides whether the next event is fresh, a duplicate or invalid, so that the shares are
 * exact. A duplicate that has nothing to repeat yet is made up for later; it is missing
 * only if the run ends first.
 *
 * Shapes  shares in; one kind per call out, null after `count`. The order is random, the
 *         numbers are not.
 * Units   shares from 0 to 1; `count` null is an endless run.
 */
import type { Random } from '../../../engine/cli/random.js'

export type EventKind = 'fresh' | 'duplicate' | 'invalid'

export interface Shares {
  readonly count: number | null
  readonly duplicates: number
  readonly invalid: number
}

/** The shares are exact at the end of each block, also in an endless run. */
const BLOCK_EVENTS = 1_000

/** Gives the kind of the next event; `canRepeat` says whether there is one to repeat. */
export function createMix(
  shares: Shares,
  random: Random
): (canRepeat: boolean) => EventKind | null {
  const count = shares.count ?? Number.POSITIVE_INFINITY
  const given = { events: 0, duplicates: 0, invalid: 0 }
  let left = { events: 0, duplicates: 0, invalid: 0 }

  const openBlock = (): void => {
    const events = Math.min(BLOCK_EVENTS, count - given.events)
    const end = given.events + events
    left = {
      events,
      duplicates: Math.round(end * shares.duplicates) - given.duplicates,
      invalid: Math.min(events, Math.round(end * shares.invalid) - given.invalid)
    }
  }

  return canRepeat => {
    if (given.events >= count) return null
    if (left.events === 0) openBlock()
    // Invalid events come first: if duplicates had to wait and no longer fit, only they
    // fall short.
    const pick = random.below(left.events)
    const drawn: EventKind =
      pick < left.invalid
        ? 'invalid'
        : pick < left.invalid + left.duplicates
          ? 'duplicate'
          : 'fresh'
    const kind = drawn === 'duplicate' && !canRepeat ? 'fresh' : drawn
    left.events -= 1
    given.events += 1
    if (kind === 'invalid') {
      left.invalid -= 1
      given.invalid += 1
    } else if (kind === 'duplicate') {
      left.duplicates -= 1
      given.duplicates += 1
    }
    return kind
  }
}
