/**
 * The tiny system: readings of meters. It shows that the engine serves a system unlike
 * the others: a body is one line of text, `meter;id;value`, rejections record only their
 * reason, and there are no quotas.
 *
 * Errors  decodeReading never throws.
 */
import type { StoreError } from '../../../engine/intake/store.js'
import type { Entry, ReceivedMessage, Rejection, Verdict } from '../../../engine/message/message.js'
import { isStorable, isWellFormed } from '../../../engine/message/storable.js'
import type { ItemRules } from '../kept-rows.js'
import { createMemoryStore, type MemoryStore } from '../memory-store.js'

export interface Reading {
  readonly meter: string
  /** Unique within the meter. */
  readonly id: string
  readonly value: number
}

export const READING_REASONS = ['malformed', 'conflict', 'unstorable'] as const

const BODY = /^([^;]+);([^;]+);(\d+)$/

export function decodeReading(message: ReceivedMessage): Verdict<Reading> {
  const { body } = message
  const [, meter, id, value] = (isWellFormed(body) ? BODY.exec(body) : null) ?? []
  if (meter === undefined || id === undefined || value === undefined)
    return { kind: 'rejected', rejection: MALFORMED }
  return { kind: 'valid', item: { meter, id, value: Number(value) } }
}

export function formatReading({ meter, id, value }: Reading): string {
  return `${meter};${id};${value}`
}

export function refuseReading(_reading: Reading, { code, message }: StoreError): Rejection {
  return reject('unstorable', 'storable', `cannot be stored (SQLSTATE ${code}): ${message}`)
}

/** Fairness is by meter; entries without a meter share one turn. */
export function meterOf({ verdict }: Entry<Reading>): string {
  return verdict.kind === 'valid' ? verdict.item.meter : ''
}

export const MALFORMED = reject('malformed', 'format', 'must be meter;id;value')
export const CONFLICT = reject('conflict', 'unique', 'another value has this id')

export const READING_RULES: ItemRules<Reading> = {
  keyOf: ({ meter, id }) => ({ owner: meter, id }),
  contentOf: ({ value }) => String(value),
  conflictOf: () => CONFLICT,
  refusalOf: () => null,
  itemOf: () => null
}

const INT4_MAX = 2_147_483_647

export function createMemoryReadingStore(): MemoryStore<Reading> {
  return createMemoryStore({
    rules: READING_RULES,
    faultOf({ meter, id, value }) {
      if (!isStorable(meter + id)) return '22021'
      return value > INT4_MAX ? '22003' : null
    }
  })
}

function reject(reason: string, keyword: string, message: string): Rejection {
  return { reason, violations: [{ pointer: '', keyword, message }] }
}
