/** The options that select rejections. */
import type { Options } from '../cli/command.js'
import type { Flags } from '../cli/flags.js'
import { readChoice, readTime, TIME_ARGUMENT } from '../cli/options.js'
import type { RejectionFilter } from './records.js'

export interface RejectionFilters<Filter> {
  readonly options: Options
  readonly read: (flags: Flags, nowMs: number) => Filter
  /** All rejections. */
  readonly none: Filter
}

/** A system's own conditions, on the contents of bodies. */
export interface BodyConditions<Conditions> {
  readonly options: Options
  readonly read: (flags: Flags) => Conditions
  readonly none: Conditions
}

export function createRejectionFilters<Conditions extends object>(
  reasons: readonly string[],
  body: BodyConditions<Conditions>
): RejectionFilters<RejectionFilter & Conditions> {
  return {
    options: {
      ...body.options,
      reason: {
        value: 'REASON',
        text: `only those refused for this reason: ${reasons.join(', ')}`
      },
      since: { value: 'WHEN', text: `only those received since then: ${TIME_ARGUMENT}` }
    },
    read: (flags, nowMs) => ({
      ids: flags.operands.length === 0 ? null : flags.operands,
      ...body.read(flags),
      reason: readChoice(flags, 'reason', reasons),
      since: readTime(flags, 'since', nowMs),
      isOpen: flags.isOn('open')
    }),
    none: { ids: null, ...body.none, reason: null, since: null, isOpen: false }
  }
}
