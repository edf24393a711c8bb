/**
 * The steps of one schedule. Their hash compares two runs; the last ones are shown when a
 * seed fails.
 *
 * Units   virtual milliseconds.
 */
import { createHash } from 'node:crypto'

type Note = readonly [atMs: number, who: string, what: string, detail: string | number]

export class Trace {
  readonly #notes: Note[] = []

  add(atMs: number, who: string, what: string, detail: string | number = ''): void {
    this.#notes.push([atMs, who, what, detail])
  }

  hash(): string {
    const hash = createHash('sha256')
    for (const note of this.#notes) hash.update(`${note.join('\u0000')}\n`)
    return hash.digest('hex')
  }

  /** The last `count` notes as lines. */
  tail(count: number): string[] {
    return this.#notes
      .slice(-count)
      .map(
        ([atMs, who, what, detail]) =>
          `${atMs.toFixed(1).padStart(10)} ms  ${who.padEnd(9)} ${what} ${detail}`
      )
  }
}
