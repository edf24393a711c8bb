/** One line that is rewritten on a terminal; elsewhere a new line each time. */
import { clearLine, cursorTo } from 'node:readline'

export class LiveLine {
  readonly #stream: NodeJS.WriteStream

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  get isLive(): boolean {
    return this.#stream.isTTY
  }

  show(text: string): void {
    if (!this.isLive) {
      this.#stream.write(`${text}\n`)
      return
    }
    cursorTo(this.#stream, 0)
    this.#stream.write(text.slice(0, this.#stream.columns - 1))
    clearLine(this.#stream, 1)
  }

  end(text: string): void {
    this.#stream.write(`${this.isLive ? '\n' : ''}${text}\n`)
  }
}
