/**
 * What waits for its commit, and which of it is the next batch.
 *
 * While one batch holds all that waits, it is that, in the order of arrival: adding is an
 * append. Once more waits, clients take turns (deficit round robin): each has a line, and
 * per turn takes rows worth its weight's quantum; what it could not spend it keeps for
 * its next turn. The order within one client is the order of arrival. So a client with
 * little to say waits for a round at most, not for all that a flood has put before it.
 *
 * Shapes  entries in, batches out. The memory is that of the entries: a line is there
 *         while it holds something.
 * Units   bytes are UTF-8 bytes of message bodies; a row costs its bytes and ROW_BYTES
 *         for being a row.
 * Source  Shreedhar and Varghese, Efficient Fair Queuing using Deficit Round Robin, 1995.
 */
import { clientOf } from '../../systems/events/event/client-of.js'
import type { Entry } from '../message/message.js'
import type { BatchLimits } from './batch.js'

export interface NextBatch {
  readonly entries: readonly Entry[]
  /** Which limit cut it off, where more was waiting. */
  readonly reached: 'messages' | 'bytes' | null
}

/**
 * What PostgreSQL needs for a row of any size is about what it needs for this many bytes
 * of payload.
 */
const ROW_BYTES = 1_024
/** A few usual rows: small, so that a batch holds the turns of many clients. */
const QUANTUM_BYTES = 4_096
const CUT_AT = 1_000

interface Line {
  readonly client: string
  entries: Entry[]
  /** Those before it are taken. */
  head: number
  credit: number
  /** Its turn has begun: it has been given its quantum. */
  isItsTurn: boolean
  next: Line
}

export class Backlog {
  readonly #limits: BatchLimits
  readonly #weightOf: (client: string) => number
  /** In the order of arrival, not yet in a line. */
  #fresh: Entry[] = []
  readonly #lines = new Map<string, Line>()
  /** The lines are a ring: the one behind this has the turn. */
  #last: Line | null = null
  #length = 0
  #bytes = 0

  constructor(limits: BatchLimits, weightOf: (client: string) => number) {
    this.#limits = limits
    this.#weightOf = weightOf
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

  add(entry: Entry): void {
    this.#fresh.push(entry)
    this.#length += 1
    this.#bytes += entry.message.bytes
  }

  take(): NextBatch {
    if (this.overflows) {
      for (const entry of this.#fresh) this.#queueUp(entry)
      this.#fresh = []
      return this.#takeTurns()
    }
    // What stood in line came before what is fresh.
    const entries: Entry[] = []
    for (const line of this.#lines.values())
      for (let at = line.head; at < line.entries.length; at++)
        entries.push(line.entries[at] as Entry)
    const all = entries.length === 0 ? this.#fresh : entries.concat(this.#fresh)
    this.clear()
    return { entries: all, reached: null }
  }

  countByClient(): ReadonlyMap<string, number> {
    const waiting = new Map<string, number>()
    for (const { client, entries, head } of this.#lines.values())
      waiting.set(client, entries.length - head)
    for (const entry of this.#fresh) {
      const client = clientOf(entry)
      waiting.set(client, (waiting.get(client) ?? 0) + 1)
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

  #queueUp(entry: Entry): void {
    const client = clientOf(entry)
    const known = this.#lines.get(client)
    if (known !== undefined) {
      known.entries.push(entry)
      return
    }
    const line = {
      client,
      entries: [entry],
      head: 0,
      credit: 0,
      isItsTurn: false
    } as unknown as Line
    line.next = this.#last?.next ?? line
    if (this.#last !== null) this.#last.next = line
    this.#last = line
    this.#lines.set(client, line)
  }

  #takeTurns(): NextBatch {
    const { maxMessages, maxBytes } = this.#limits
    const entries: Entry[] = []
    let bytes = 0
    for (let last = this.#last; last !== null; last = this.#last) {
      const line = last.next
      if (!line.isItsTurn) line.credit += QUANTUM_BYTES * this.#weightOf(line.client)
      line.isItsTurn = true
      for (; line.head < line.entries.length; line.head++) {
        const entry = line.entries[line.head] as Entry
        const size = entry.message.bytes
        // The next batch goes on with this line, and with what is left of its turn.
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

  #endTurn(line: Line, before: Line): void {
    line.isItsTurn = false
    if (line.head < line.entries.length) {
      this.#last = line
      if (line.head >= CUT_AT && line.head * 2 >= line.entries.length) {
        line.entries = line.entries.slice(line.head)
        line.head = 0
      }
      return
    }
    this.#lines.delete(line.client)
    before.next = line.next
    this.#last = line === before ? null : before
  }
}
