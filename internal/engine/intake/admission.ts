/**
 * The admit stage: which decoded entries go on at once, and which are held back or put
 * off.
 *
 * Shapes  a system opens its admission on the intake's desk, which is all that it may do
 *         with the entries that it holds back; `admitAll` holds nothing back.
 */
import type { Entry, Rejection } from '../message/message.js'

export interface Admission<Item, Refused extends Rejection = Rejection> {
  /** Entries that wait here, in nobody's way. */
  readonly held: number
  /** Those of `entries` that go on now, with the verdict that counts. */
  admit(entries: readonly Entry<Item, Refused>[]): readonly Entry<Item, Refused>[]
  /** From now on nothing is held back; resolves with what has not gone on. */
  end(): Promise<readonly Entry<Item, Refused>[]>
}

export interface AdmissionDesk<Item, Refused extends Rejection = Rejection> {
  /**
   * How much of the work in flight may wait here: the rest stays with those who need not
   * wait.
   */
  readonly maxHeldMessages: number
  readonly maxHeldBytes: number
  /** While true nothing may be released: somebody is examined alone. */
  isPaused(): boolean
  /** Their turn has come: they go on. */
  release(entries: readonly Entry<Item, Refused>[]): void
  /** The queue has a copy of each, for certain: the originals are deleted. */
  settle(entries: readonly Entry<Item, Refused>[]): void
  /** More is held than `admit` has left here. */
  heldMore(): void
}

export type OpenAdmission<Item, Refused extends Rejection = Rejection> = (
  desk: AdmissionDesk<Item, Refused>
) => Admission<Item, Refused>

export function admitAll<Item, Refused extends Rejection>(): Admission<Item, Refused> {
  return { held: 0, admit: entries => entries, end: () => Promise.resolve([]) }
}
