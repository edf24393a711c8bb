/**
 * Whether one line floods the others: it holds three quarters of the entries that wait
 * for their commit, and they are not few.
 *
 * Before each batch it observes what waits in the main lane, or in the lane of the
 * others. A flood is over CALM_AFTER_BATCHES batches after the last one that showed it,
 * or once the other lines have much waiting themselves: two lanes would then only split a
 * batch in two.
 */
import type { Entry, Rejection } from '../message/message.js'
import type { Backlog } from './backlog.js'
import type { Turns } from './turns.js'

/** The part of a backlog that is observed. */
type Waiting = Pick<Backlog<unknown>, 'length' | 'countByLine'>

/** About half a second of a flood, which shows itself many times in that span. */
const CALM_AFTER_BATCHES = 50

export class Flood<Item, Refused extends Rejection = Rejection> {
  readonly #lineOf: Turns<Item, Refused>['lineOf']
  readonly #minMessages: number
  /** The line that floods the others. */
  #line: string | null = null
  #batchesLeft = 0

  /** Fewer than `minMessages` waiting never count as a flood. */
  constructor(lineOf: Turns<Item, Refused>['lineOf'], minMessages: number) {
    this.#lineOf = lineOf
    this.#minMessages = minMessages
  }

  /**
   * Whether to keep this entry apart from the flood. Entries in no line ('') never are:
   * nobody waits for them.
   */
  isBystander(entry: Entry<Item, Refused>): boolean {
    if (this.#line === null) return false
    const line = this.#lineOf(entry)
    return line !== this.#line && line !== ''
  }

  /** A batch of the main lane is about to be taken. */
  observe(main: Waiting): void {
    this.#pass()
    if (main.length < this.#minMessages) return
    for (const [line, waiting] of main.countByLine()) {
      if (waiting * 4 < main.length * 3 || line === '') continue
      this.#line = line
      this.#batchesLeft = CALM_AFTER_BATCHES
    }
  }

  /** A batch of the others' lane is about to be taken. */
  observeOthers(others: Waiting): void {
    if (others.length >= this.#minMessages) this.#batchesLeft = 0
    this.#pass()
  }

  #pass(): void {
    this.#batchesLeft -= 1
    if (this.#batchesLeft < 0) this.#line = null
  }
}
