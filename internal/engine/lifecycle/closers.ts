/**
 * Closes what was opened, last one first. A failed close does not stop the others; the
 * last failure is thrown.
 */
export class Closers {
  readonly #closers: (() => unknown)[] = []

  add(close: () => unknown): void {
    this.#closers.push(close)
  }

  async close(): Promise<void> {
    const close = this.#closers.pop()
    if (close === undefined) return
    try {
      await close()
    } finally {
      await this.close()
    }
  }
}
