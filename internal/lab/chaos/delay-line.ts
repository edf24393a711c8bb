/** Passes items on in order, each after its own delay. A later item never overtakes. */
interface Delayed<T> {
  readonly item: T
  readonly atMs: number
}

export class DelayLine<T> {
  readonly #handOn: (item: T) => void
  readonly #waiting: Delayed<T>[] = []

  constructor(handOn: (item: T) => void) {
    this.#handOn = handOn
  }

  push(item: T, delayMs: number): void {
    if (delayMs <= 0 && this.#waiting.length === 0) return this.#handOn(item)
    this.#waiting.push({ item, atMs: performance.now() + delayMs })
    if (this.#waiting.length === 1) this.#wait()
  }

  #wait(): void {
    const [head] = this.#waiting
    if (head === undefined) return
    setTimeout(
      () => {
        this.#handOn(head.item)
        this.#waiting.shift()
        this.#wait()
      },
      Math.max(0, head.atMs - performance.now())
    )
  }
}
