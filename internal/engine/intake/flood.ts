/**
 * Whether one line floods the others: it holds three quarters of what waits for its
 * commit, and that is not little.
 *
 * Shapes  told before each batch what waits in the main lane, and what in that of the
 *         others; a flood is over CALM_AFTER_BATCHES batches after the last one that
 *         showed it, or when the others have much to say themselves: then two lanes would
 *         only make two halves of a batch.
 */
import type { Entry, Rejection } from '../message/message.js'
import type { Backlog } from './backlog.js'
import type { Turns } from './turns.js'

/** What is looked at of a backlog. */
type Waiting = Pick<Backlog<unknown>, 'length' | 'countByLine'>

/** Half a second or so beside a flood, which shows itself many times in that. */
const CALM_AFTER_BATCHES = 50

export class Flood<Item, Refused extends Rejection = Rejection> {
  readonly #lineOf: Turns<Item, Refused>['lineOf']
  readonly #minMessages: number
  /** The line that floods the others. */
  #line: string | null = null
  #batchesLeft = 0

  /** Fewer than `minMessages` in a line hold nobody up. */
  constructor(lineOf: Turns<Item, Refused>['lineOf'], minMessages: number) {
    this.#lineOf = lineOf
    this.#minMessages = minMessages
  }

  /**
   * Whether this entry is better kept apart from the flood. Nobody waits for what stands
   * in nobody's line ('').
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
