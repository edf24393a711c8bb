/**
 * Virtual time: events run one after the other at their due times. Between two events all
 * promise reactions run to their end. Events of equal time run in the order in which they
 * were set. A cancelled event costs nothing.
 *
 * Units   milliseconds.
 * Source  a `process.nextTick` callback that a microtask requests runs when the microtask
 *         queue is empty. So requesting a tick from a microtask waits for every await
 *         that the code under test chains, at half the cost of an event loop turn. (A
 *         tick that requested the next one itself would starve the microtasks.)
 */
interface Timer {
  readonly dueMs: number
  readonly order: number
  /** Null when cancelled. */
  fn: (() => void) | null
}

const settled = Promise.resolve()

export class Scheduler {
  nowMs = 0
  /** Events run so far. */
  steps = 0
  #order = 0
  /** A binary heap: no timer is due before its parent at (index - 1) >> 1. */
  readonly #heap: Timer[] = []

  /** Runs `fn` after `ms`; the returned function cancels. */
  after(ms: number, fn: () => void): () => void {
    const timer: Timer = { dueMs: this.nowMs + Math.max(0, ms), order: this.#order++, fn }
    this.#push(timer)
    return () => {
      timer.fn = null
    }
  }

  /**
   * Runs what is due up to `untilMs`, or until `isDone`, which is checked after each
   * event. Time stops at whichever comes first.
   */
  run(untilMs: number, isDone: () => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          if (isDone()) {
            resolve()
            return
          }
          const timer = this.#next(untilMs)
          if (timer === null) {
            this.nowMs = untilMs
            resolve()
            return
          }
          this.nowMs = timer.dueMs
          this.steps++
          timer.fn?.()
          void settled.then(hop)
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      }
      const hop = (): void => process.nextTick(step)
      void settled.then(hop)
    })
  }

  #next(untilMs: number): Timer | null {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || first.dueMs > untilMs) return null
      this.#pop()
      if (first.fn !== null) return first
    }
  }

  #push(timer: Timer): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(timer)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as Timer
      if (isBefore(above, timer)) break
      heap[at] = above
      at = parent
    }
    heap[at] = timer
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Timer, heap[child] as Timer))
        child++
      const below = heap[child] as Timer
      if (isBefore(last, below)) break
      heap[at] = below
      at = child
    }
    heap[at] = last
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order)
}
