/**
 * The port to clients and event types, the names that events may have, for people.
 *
 * Shapes  one `Names` per table. A name can be disabled, but never changed or removed,
 *         because rows of `message` refer to it.
 * Errors  StoreError.
 */
import type { ClientLimits } from './client-settings.js'

export interface NameRecord {
  readonly name: string
  /** Since when its events are refused; null: they are accepted. */
  readonly disabledAt: Date | null
  /** How many of its payload schemas are active. */
  readonly activeSchemas: number
  /** Database roles that may read its rows; none for an event type. */
  readonly readers: readonly string[]
  /** Null for an event type. */
  readonly limits: ClientLimits | null
}

export interface Names {
  /** Sorted by name. */
  list(): Promise<readonly NameRecord[]>
  /** A name that exists stays as it is, disabled or not. */
  add(name: string): Promise<'added' | 'exists' | 'disabled'>
  disable(name: string): Promise<Change>
  enable(name: string): Promise<Change>
}

export type Change = 'changed' | 'unchanged' | 'missing'
