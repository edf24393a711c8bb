/**
 * Closes what was opened, the last one first. Each is closed whatever became of the
 * others; the failure that came last is the one that is thrown.
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
