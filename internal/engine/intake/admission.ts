/**
 * The admit stage: decides which decoded entries go on at once and which are held back or
 * postponed.
 *
 * A system opens its admission on the intake's desk. The desk offers all that an
 * admission may do with the entries it holds back; `admitAll` holds nothing back.
 */
import type { Entry, Rejection } from '../message/message.js'

export interface Admission<Item, Refused extends Rejection = Rejection> {
  /** Entries held back here, without blocking others. */
  readonly held: number
  /** The entries that go on now, each with its final verdict. */
  admit(entries: readonly Entry<Item, Refused>[]): readonly Entry<Item, Refused>[]
  /** Stops holding back; resolves with the entries still held. */
  end(): Promise<readonly Entry<Item, Refused>[]>
}

export interface AdmissionDesk<Item, Refused extends Rejection = Rejection> {
  /**
   * How much of the work in flight may be held here; the rest is left for entries that
   * need not wait.
   */
  readonly maxHeldMessages: number
  readonly maxHeldBytes: number
  /** While true, release nothing: a message is being examined alone. */
  isPaused(): boolean
  /** Sends entries on to their commit. */
  release(entries: readonly Entry<Item, Refused>[]): void
  /** Deletes the originals of entries of which the queue certainly has a copy. */
  settle(entries: readonly Entry<Item, Refused>[]): void
  /** More is held now than when `admit` returned. */
  heldMore(): void
}

export type OpenAdmission<Item, Refused extends Rejection = Rejection> = (
  desk: AdmissionDesk<Item, Refused>
) => Admission<Item, Refused>

export function admitAll<Item, Refused extends Rejection>(): Admission<Item, Refused> {
  return { held: 0, admit: entries => entries, end: () => Promise.resolve([]) }
}
