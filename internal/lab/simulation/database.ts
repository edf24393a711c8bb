/**
 * The simulated database server: transactions, locks on keys, and what happens to them
 * when their client or the server dies.
 *
 * As in PostgreSQL, inserting a key that another transaction is inserting waits until
 * that transaction ends. A transaction's writes become visible to all others at its
 * commit.
 *
 * Units   virtual milliseconds.
 */

import type { StoreError } from '../../engine/intake/store.js'
import type { Entry, Rejection } from '../../engine/message/message.js'
import { classify } from '../../engine/postgres/fault.js'
import { type ItemRules, KeptRows, type RowChange, type RowKey } from '../testing/kept-rows.js'
import type { SimulatedProcess } from './process.js'
import type { World } from './world.js'

const LOCK_TIMEOUT_MS = 5_000
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000

export interface Transaction<Item = unknown, Refused extends Rejection = Rejection> {
  readonly id: string
  readonly client: SimulatedProcess
  readonly beganAtMs: number
  endedAtMs: number
  state: 'open' | 'committed' | 'aborted'
  isCommitSent: boolean
  change: RowChange<Item, Refused> | null
  readonly locks: string[]
  readonly waiting: (() => void)[]
}

/** A failure as the driver would report it, classified by the real store's code. */
export function failure(code: string): StoreError {
  return classify(Object.assign(new Error(`simulated ${code}`), { code }))
}

export class SimulatedDatabase<Item, Refused extends Rejection = Rejection> {
  readonly rows: KeptRows<Item, Refused>
  readonly #world: World
  readonly #transactions = new Map<string, Transaction<Item, Refused>>()
  readonly #open = new Set<Transaction<Item, Refused>>()
  readonly #locks = new Map<string, Transaction<Item, Refused>>()

  constructor(world: World, rules: ItemRules<Item, Refused>, rowKey?: RowKey) {
    this.#world = world
    this.rows = new KeptRows(rules, rowKey)
    for (const fault of world.schedule.faults) {
      if (fault.kind === 'database-down') world.scheduler.after(fault.fromMs, () => this.#crash())
    }
  }

  begin(client: SimulatedProcess): Transaction<Item, Refused> {
    const id = `tx ${this.#transactions.size + 1}`
    const times = { beganAtMs: this.#world.nowMs, endedAtMs: Infinity }
    const tx: Transaction<Item, Refused> = {
      id,
      client,
      ...times,
      state: 'open',
      isCommitSent: false,
      change: null,
      locks: [],
      waiting: []
    }
    this.#transactions.set(id, tx)
    this.#open.add(tx)
    return tx
  }

  /**
   * Runs the statements of a batch, waiting for other transactions where they insert the
   * same keys.
   */
  async write(
    tx: Transaction<Item, Refused>,
    batch: readonly Entry<Item, Refused>[]
  ): Promise<RowChange<Item, Refused>> {
    const { rows } = this
    // Keys in order, items before rejections: this prevents deadlocks.
    const keys = new Set<string>()
    for (const { verdict } of batch)
      if (verdict.kind === 'valid') keys.add(rows.keyOf(verdict.item))
    for (const key of [...keys].sort()) {
      if (!rows.items.has(key) && !this.#tryLock(tx, key)) await this.#lock(tx, key)
    }
    for (const id of [...rows.decide(batch).rejections.keys()].sort()) {
      if (!this.#tryLock(tx, id)) await this.#lock(tx, id)
    }
    tx.change = rows.decide(batch)
    return tx.change
  }

  commit(tx: Transaction<Item, Refused>): void {
    if (tx.state !== 'open' || tx.change === null) return
    const twice = this.rows.apply(tx.change)
    if (twice !== null)
      this.#world.violate('I3', `${tx.id} commits a second row for ${JSON.stringify(twice)}`)
    this.#world.note('database', 'commits', `${tx.id}: ${tx.change.dispositions.join()}`)
    this.#end(tx, 'committed')
  }

  abort(tx: Transaction<Item, Refused>): void {
    if (tx.state !== 'open') return
    this.#world.note('database', 'rolls back', tx.id)
    this.#end(tx, 'aborted')
  }

  /** What the server reports about a transaction; null while it is open. */
  tookEffect(id: string): boolean | null {
    const tx = this.#transactions.get(id)
    if (tx?.state === 'open') return null
    const change = tx?.state === 'committed' ? tx.change : null
    return change !== null && change.items.size + change.rejections.size > 0
  }

  /**
   * Whether the transactions that wrote the row of an item and a rejection ran at the
   * same time, so that neither saw the other's row.
   */
  areWrittenAtOnce(key: string, rejectedId: string): boolean {
    const committed = [...this.#transactions.values()].filter(({ state }) => state === 'committed')
    const one = committed.find(({ change }) => change?.items.has(key))
    const other = committed.find(({ change }) => change?.rejections.has(rejectedId))
    return (
      one !== undefined &&
      other !== undefined &&
      one.beganAtMs < other.endedAtMs &&
      other.beganAtMs < one.endedAtMs
    )
  }

  /**
   * The client is dead. A COMMIT already sent may still arrive; other transactions end
   * when the server notices.
   */
  lose(client: SimulatedProcess): void {
    for (const tx of this.#open) {
      if (tx.client !== client || (tx.isCommitSent && client.isHeard)) continue
      this.#world.scheduler.after(this.#world.dice.scale(1, IDLE_IN_TRANSACTION_TIMEOUT_MS), () =>
        this.abort(tx)
      )
    }
  }

  /**
   * The client is silent for a while. The server ends transactions that wait too long for
   * its next statement.
   */
  pause(client: SimulatedProcess): void {
    this.#world.scheduler.after(IDLE_IN_TRANSACTION_TIMEOUT_MS, () => {
      if (!client.isPaused) return
      for (const tx of this.#open) if (tx.client === client && !tx.isCommitSent) this.abort(tx)
    })
  }

  /**
   * The server dies and loses what is not committed. A COMMIT under way may go either
   * way.
   */
  #crash(): void {
    for (const tx of [...this.#open]) {
      if (tx.isCommitSent && this.#world.dice.chance(0.5)) this.commit(tx)
      else this.abort(tx)
    }
  }

  #tryLock(tx: Transaction<Item, Refused>, key: string): boolean {
    const holder = this.#locks.get(key)
    if (holder === tx) return true
    if (holder !== undefined || tx.state !== 'open') return false
    this.#locks.set(key, tx)
    tx.locks.push(key)
    return true
  }

  async #lock(tx: Transaction<Item, Refused>, key: string): Promise<void> {
    const endsAtMs = this.#world.nowMs + LOCK_TIMEOUT_MS
    let wake = (): void => undefined
    const cancel = this.#world.scheduler.after(LOCK_TIMEOUT_MS, () => wake())
    while (!this.#tryLock(tx, key)) {
      if (tx.state !== 'open') throw failure('57P01')
      if (this.#world.nowMs >= endsAtMs) {
        this.#world.faults.hit('lock timeout')
        throw failure('55P03')
      }
      this.#world.faults.hit('lock wait')
      await new Promise<void>(resolve => {
        wake = resolve
        this.#locks.get(key)?.waiting.push(resolve)
        tx.waiting.push(resolve)
      })
    }
    cancel()
  }

  #end(tx: Transaction<Item, Refused>, state: 'committed' | 'aborted'): void {
    tx.state = state
    tx.endedAtMs = this.#world.nowMs
    this.#open.delete(tx)
    for (const key of tx.locks) this.#locks.delete(key)
    for (const wake of tx.waiting) wake()
  }
}
