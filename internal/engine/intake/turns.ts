/**
 * Who takes turns in the batches. Once more waits than one batch holds, entries queue in
 * lines, and each line gets its turn (backlog.ts).
 */
import type { Entry, Rejection } from '../message/message.js'

export interface Turns<Item, Refused extends Rejection = Rejection> {
  /**
   * The line that an entry belongs to; '' for entries of no line, which nobody waits for.
   */
  readonly lineOf: (entry: Entry<Item, Refused>) => string
  /** The size of a line's turn, relative to others; 1 is usual. */
  readonly weightOf: (line: string) => number
}

/** Takes everything in the order of arrival. */
export const oneLine: Turns<unknown> = { lineOf: () => '', weightOf: () => 1 }
