/**
 * The port to the names that events may bear: clients and event types, for people.
 *
 * Shapes  one `Names` per table. A name is never changed or removed, because rows of
 *         `message` refer to it; it can be disabled.
 * Errors  StoreError.
 */
import type { ClientLimits } from './client-settings.js'

export interface NameRecord {
  readonly name: string
  /** Since when its events are refused; null: they are not. */
  readonly disabledAt: Date | null
  /** Of its payload schemas, those that are active. */
  readonly activeSchemas: number
  /** Database roles that may read its rows; none for an event type. */
  readonly readers: readonly string[]
  /** Null of an event type, which has none. */
  readonly limits: ClientLimits | null
}

export interface Names {
  /** In the order of their names. */
  list(): Promise<readonly NameRecord[]>
  /** What is there already stays as it is, disabled or not. */
  add(name: string): Promise<'added' | 'exists' | 'disabled'>
  disable(name: string): Promise<Change>
  enable(name: string): Promise<Change>
}

export type Change = 'changed' | 'unchanged' | 'missing'
