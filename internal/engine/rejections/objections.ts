/** Why rejected bodies would be refused again, counted by kind. */

import { formatCount, printable } from '../cli/terminal-text.js'
import type { Violation } from '../message/message.js'

export interface Objection {
  readonly reason: string
  readonly violation: Violation
}

export interface Objections {
  readonly count: number
  readonly add: (queueMessageId: string, objection: Objection) => void
  /** Most frequent first. */
  readonly list: () => readonly ObjectionCount[]
}

export interface ObjectionCount {
  readonly reason: string
  readonly pointer: string
  readonly keyword: string
  readonly count: number
  /** The queue message id of the first one. */
  readonly example: string
  readonly message: string
}

/** Pointers into arrays make kinds without end. */
const MAX_KINDS = 1_000
const SHOWN = 10

export function createObjections(): Objections {
  const kinds = new Map<string, ObjectionCount>()
  let count = 0
  return {
    get count() {
      return count
    },
    add: (queueMessageId, { reason, violation: { pointer, keyword, message } }) => {
      count++
      const key = JSON.stringify([reason, pointer, keyword])
      const kind = kinds.get(key)
      if (kind !== undefined) kinds.set(key, { ...kind, count: kind.count + 1 })
      else if (kinds.size < MAX_KINDS)
        kinds.set(key, { reason, pointer, keyword, count: 1, example: queueMessageId, message })
    },
    list: () => [...kinds.values()].sort((a, b) => b.count - a.count)
  }
}

export function formatObjections(objections: Objections): string {
  const kinds = objections.list()
  const lines = kinds
    .slice(0, SHOWN)
    .map(
      ({ count, reason, message, example }) =>
        `  ${formatCount(count)} ${reason}: ${printable(message)}, for example ${example}`
    )
  const more = kinds.length > SHOWN ? [`  and ${formatCount(kinds.length - SHOWN)} more kinds`] : []
  return [...lines, ...more].join('\n')
}
