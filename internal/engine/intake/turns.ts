/**
 * Who takes turns in the batches: where more waits than one batch holds, entries stand in
 * lines, and each line gets its turn (backlog.ts).
 */
import type { Entry, Rejection } from '../message/message.js'

export interface Turns<Item, Refused extends Rejection = Rejection> {
  /** Whose line an entry stands in; '' for what is nobody's, and nobody waits for. */
  readonly lineOf: (entry: Entry<Item, Refused>) => string
  /** How large a line's turn is, next to others'; 1 is usual. */
  readonly weightOf: (line: string) => number
}

/** Everything in the order of arrival. */
export const oneLine: Turns<unknown> = { lineOf: () => '', weightOf: () => 1 }
