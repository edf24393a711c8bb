/**
 * The primary's part: it receives the workers' messages about their transactions, keeps
 * the real totals, and finds out the outcome of a dead worker's open transaction. At each
 * message it checks that the counters neither decrease nor run ahead of the tables (I8).
 *
 * Units   virtual milliseconds.
 */
import { Deaths } from '../../engine/cluster/deaths.js'
import type { IntakeWord } from '../../engine/cluster/intake-watch.js'
import type { Store } from '../../engine/intake/store.js'
import { CounterTotals } from '../../engine/observe/totals.js'
import type { KeptRejection } from '../testing/kept-rows.js'
import { never, type SimulatedProcess } from './process.js'
import type { World } from './world.js'

const ASK_AGAIN_MS = 200

/**
 * A worker's channel: the messages it has sent, and those that have not left the worker
 * yet.
 */
interface Channel {
  readonly id: number
  readonly leaving: Set<IntakeWord>
}

/** The parts of the tables that counters count. */
interface CountedRows {
  readonly items: ReadonlyMap<string, unknown>
  readonly rejections: ReadonlyMap<string, KeptRejection>
}

export class Primary {
  readonly #world: World
  readonly #rows: CountedRows
  readonly #store: Pick<Store<unknown>, 'wasCommitted'>
  readonly #totals = new CounterTotals()
  readonly #deaths = new Deaths()
  readonly #channels = new Map<SimulatedProcess, Channel>()
  #openQuestions = 0
  #stored = 0

  constructor(world: World, rows: CountedRows, store: Pick<Store<unknown>, 'wasCommitted'>) {
    this.#world = world
    this.#rows = rows
    this.#store = store
  }

  /** Whether every dead worker's sums are settled. */
  get isSettled(): boolean {
    return this.#openQuestions === 0
  }

  /** Resolves when the message has left the worker. */
  hear(process: SimulatedProcess, message: IntakeWord): Promise<void> {
    if (!process.isAlive) return never()
    const { leaving } = this.#channelOf(process)
    // Copy the counters: the worker goes on counting.
    const sent = 'counts' in message ? { ...message, counts: { ...message.counts } } : message
    leaving.add(sent)
    return new Promise(resolve => {
      process.after(this.#world.dice.scale(0.05, 2), () => {
        this.#deliver(process, sent)
        resolve()
      })
    })
  }

  /**
   * A process is dead. Its outgoing messages may or may not have left; then the outcomes
   * of its open transactions are queried.
   */
  retire(process: SimulatedProcess): void {
    const { id, leaving } = this.#channelOf(process)
    const hasLeft = this.#world.dice.below(leaving.size + 1)
    for (const message of [...leaving].slice(0, hasLeft)) this.#deliver(process, message)
    const death = this.#deaths.died(id)
    if (death !== null)
      this.#world.note(process.name, 'died of', `${death.messageId}, the ${death.deaths}. death`)
    this.#openQuestions++
    void this.#totals
      .retire(id, tx => this.#ask(tx))
      .then(() => {
        this.#openQuestions--
        this.#check()
      })
  }

  /** How many workers died while examining this message. */
  deaths(messageId: string): number {
    return this.#deaths.all.find(death => death.messageId === messageId)?.deaths ?? 0
  }

  /** Compares the totals with the tables when no work is under way. */
  checkTotals(reasons: readonly string[]): void {
    const { items, rejections } = this.#rows
    const rows = new Map<string, number>()
    for (const { rejection } of rejections.values())
      rows.set(rejection.reason, (rows.get(rejection.reason) ?? 0) + 1)
    const compare = (counter: string, table: number): void => {
      const total = this.#totals.sum(counter)
      if (total !== table)
        this.#world.violate(
          'I8',
          `the counter ${counter} says ${total}, the table has ${table} rows`
        )
    }
    compare('stored', items.size)
    for (const reason of reasons) compare(`rejected/${reason}`, rows.get(reason) ?? 0)
  }

  #deliver(process: SimulatedProcess, message: IntakeWord): void {
    const { id, leaving } = this.#channelOf(process)
    if (!leaving.has(message)) return
    // In order: when a message leaves, all earlier ones have left.
    for (const earlier of leaving) {
      leaving.delete(earlier)
      if (earlier.kind === 'examining') this.#deaths.examining(id, earlier.messageId)
      else if (earlier.kind === 'committing') this.#totals.announced(id, earlier.tx, earlier.counts)
      else if (earlier.kind === 'decided') this.#totals.decided(id, earlier.tx, earlier.counts)
      this.#check()
      if (earlier === message) break
    }
  }

  #check(): void {
    const stored = this.#totals.sum('stored')
    if (stored < this.#stored)
      this.#world.violate(
        'I8',
        `the counter of stored events decreases from ${this.#stored} to ${stored}`
      )
    const rows = this.#rows.items.size
    if (stored > rows)
      this.#world.violate('I8', `the counter says ${stored} stored events, the table has ${rows}`)
    this.#stored = stored
  }

  async #ask(tx: string): Promise<boolean> {
    for (;;) {
      try {
        return await this.#store.wasCommitted(tx)
      } catch {
        await new Promise<void>(resolve => this.#world.scheduler.after(ASK_AGAIN_MS, resolve))
      }
    }
  }

  #channelOf(process: SimulatedProcess): Channel {
    let channel = this.#channels.get(process)
    if (channel === undefined) {
      channel = { id: this.#channels.size + 1, leaving: new Set() }
      this.#channels.set(process, channel)
    }
    return channel
  }
}
