/**
 * The entries that wait for their commit, and which of them form the next batch.
 *
 * While everything that waits fits in one batch, that is the next batch, in the order of
 * arrival: adding is an append. Once more waits, lines take turns (deficit round robin).
 * Per turn a line gives rows worth its weight's quantum, and keeps unspent credit for its
 * next turn. Each line keeps its order of arrival. So a short line waits for one round at
 * most, not for everything that a flood has queued before it.
 *
 * Shapes  entries in, batches out. The memory is that of the entries: a line exists only
 *         while it holds something.
 * Units   bytes are UTF-8 bytes of message bodies; a row costs its bytes plus ROW_BYTES.
 * Source  Shreedhar and Varghese, Efficient Fair Queuing using Deficit Round Robin, 1995.
 */
import type { Entry, Rejection } from '../message/message.js'
import type { BatchLimits } from './batch.js'
import type { Turns } from './turns.js'

export interface NextBatch<Item, Refused extends Rejection = Rejection> {
  readonly entries: readonly Entry<Item, Refused>[]
  /** The limit that ended the batch while more was waiting. */
  readonly reached: 'messages' | 'bytes' | null
}

/**
 * PostgreSQL spends about as much on a row, whatever its size, as on this many bytes of
 * payload.
 */
const ROW_BYTES = 1_024
/**
 * Worth a few ordinary rows: small, so that a batch has room for the turns of many lines.
 */
const QUANTUM_BYTES = 4_096
const CUT_AT = 1_000

class Line<Waiting> {
  readonly name: string
  entries: Waiting[]
  /** Entries before this index are taken already. */
  head = 0
  credit = 0
  /** Its turn has begun: it has received its quantum. */
  isItsTurn = false
  /** The next line in the ring. */
  next: Line<Waiting> = this

  constructor(name: string, first: Waiting) {
    this.name = name
    this.entries = [first]
  }
}

export class Backlog<Item, Refused extends Rejection = Rejection> {
  readonly #limits: BatchLimits
  readonly #turns: Turns<Item, Refused>
  /** In the order of arrival, not yet in a line. */
  #fresh: Entry<Item, Refused>[] = []
  readonly #lines = new Map<string, Line<Entry<Item, Refused>>>()
  /** The line after this one has the turn. */
  #last: Line<Entry<Item, Refused>> | null = null
  #length = 0
  #bytes = 0

  constructor(limits: BatchLimits, turns: Turns<Item, Refused>) {
    this.#limits = limits
    this.#turns = turns
  }

  get length(): number {
    return this.#length
  }

  get isEmpty(): boolean {
    return this.#length === 0
  }

  /** Whether more waits than one batch holds; one entry always fits, however large. */
  get overflows(): boolean {
    return (
      this.#length > 1 &&
      (this.#length > this.#limits.maxMessages || this.#bytes > this.#limits.maxBytes)
    )
  }

  add(entry: Entry<Item, Refused>): void {
    this.#fresh.push(entry)
    this.#length += 1
    this.#bytes += entry.message.bytes
  }

  take(): NextBatch<Item, Refused> {
    if (this.overflows) {
      for (const entry of this.#fresh) this.#queueUp(entry)
      this.#fresh = []
      return this.#takeTurns()
    }
    // Queued entries arrived before fresh ones.
    const entries: Entry<Item, Refused>[] = []
    for (const line of this.#lines.values())
      for (let at = line.head; at < line.entries.length; at++)
        entries.push(line.entries[at] as Entry<Item, Refused>)
    const all = entries.length === 0 ? this.#fresh : entries.concat(this.#fresh)
    this.clear()
    return { entries: all, reached: null }
  }

  countByLine(): ReadonlyMap<string, number> {
    const waiting = new Map<string, number>()
    for (const { name, entries, head } of this.#lines.values())
      waiting.set(name, entries.length - head)
    for (const entry of this.#fresh) {
      const name = this.#turns.lineOf(entry)
      waiting.set(name, (waiting.get(name) ?? 0) + 1)
    }
    return waiting
  }

  clear(): void {
    this.#fresh = []
    this.#lines.clear()
    this.#last = null
    this.#length = 0
    this.#bytes = 0
  }

  #queueUp(entry: Entry<Item, Refused>): void {
    const name = this.#turns.lineOf(entry)
    const known = this.#lines.get(name)
    if (known !== undefined) {
      known.entries.push(entry)
      return
    }
    const line = new Line(name, entry)
    if (this.#last !== null) {
      line.next = this.#last.next
      this.#last.next = line
    }
    this.#last = line
    this.#lines.set(name, line)
  }

  #takeTurns(): NextBatch<Item, Refused> {
    const { maxMessages, maxBytes } = this.#limits
    const entries: Entry<Item, Refused>[] = []
    let bytes = 0
    for (let last = this.#last; last !== null; last = this.#last) {
      const line = last.next
      if (!line.isItsTurn) line.credit += QUANTUM_BYTES * this.#turns.weightOf(line.name)
      line.isItsTurn = true
      for (; line.head < line.entries.length; line.head++) {
        const entry = line.entries[line.head] as Entry<Item, Refused>
        const size = entry.message.bytes
        // The next batch continues with this line and the rest of its credit.
        if (entries.length >= maxMessages) return { entries, reached: 'messages' }
        if (entries.length > 0 && bytes + size > maxBytes) return { entries, reached: 'bytes' }
        if (size + ROW_BYTES > line.credit) break
        line.credit -= size + ROW_BYTES
        entries.push(entry)
        bytes += size
        this.#length -= 1
        this.#bytes -= size
      }
      this.#endTurn(line, last)
    }
    return { entries, reached: null }
  }

  #endTurn(line: Line<Entry<Item, Refused>>, before: Line<Entry<Item, Refused>>): void {
    line.isItsTurn = false
    if (line.head < line.entries.length) {
      this.#last = line
      if (line.head >= CUT_AT && line.head * 2 >= line.entries.length) {
        line.entries = line.entries.slice(line.head)
        line.head = 0
      }
      return
    }
    this.#lines.delete(line.name)
    before.next = line.next
    this.#last = line === before ? null : before
  }
}
