/**
 * The sender's part of a chaos run: its faults, its lives, and the proof at the end.
 *
 * Units   milliseconds.
 * Errors  what the sender does wrong goes to `onWrong`; rejects only when the harness
 *         cannot go on.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { readLedger } from '../../systems/events/producer/ledger-reader.js'
import type { RecipientLedgerEntry } from '../../systems/events/recipient/delivery.js'
import { eventually } from '../programs/eventually.js'
import type { ChaosDatabase } from './database.js'
import {
  COUNT_OWED,
  checkDeliveries,
  type DeliveryReport,
  type DeliveryRows,
  type Owed,
  problemOfLine,
  READ_DELIVERY_ROWS,
  READ_OWED
} from './delivery-check.js'
import type { FaultKind } from './faults.js'
import { DELIVERY_INJECTORS, type DeliverySystems } from './inject-delivery.js'
import type { PlannedStep } from './plan.js'

export interface DeliveryRunOptions {
  readonly systems: DeliverySystems & { readonly database: ChaosDatabase }
  readonly onFault: (kind: FaultKind) => void
}

export interface DeliveryOutcome {
  readonly kills: { readonly worker: number; readonly primary: number }
  /**
   * From the end of the last fault until nothing was pending; null when over the limit.
   */
  readonly deliveredMs: number | null
  readonly report: DeliveryReport
}

/**
 * The lanes of a killed worker are blocked for up to 15 s. A failing endpoint is paused
 * for up to 10, 20, then 40 s.
 */
export const DELIVERED_LIMIT_MS = 120_000
const LOOK_EVERY_MS = 250

export class DeliveryRun {
  readonly #options: DeliveryRunOptions
  /** Workers that outlive their primary and end while the next primary already runs. */
  readonly #farewells: Promise<void>[] = []
  #lastFaultEndedMs = 0

  constructor(options: DeliveryRunOptions) {
    this.#options = options
  }

  start(): Promise<void> {
    return this.#options.systems.sender.start()
  }

  async suffer(planned: PlannedStep['delivery']): Promise<void> {
    if (planned === null) return
    const { systems, onFault } = this.#options
    const { afterMs, fault } = planned
    await delay(afterMs)
    await DELIVERY_INJECTORS[fault.kind](systems, fault)
    onFault(fault.kind)
    this.#lastFaultEndedMs = performance.now()
  }

  /**
   * Restarts the sender if it has ended. Workers of its last life may still run: senders
   * must tolerate each other.
   */
  async revive(): Promise<void> {
    const { sender, database } = this.#options.systems
    if (sender.isUp) return
    this.#farewells.push(sender.whenOrphansGone())
    await database.whenUp()
    await sender.start()
  }

  /** `sinceMs` is when the last fault of the intake ended. */
  async end(sinceMs: number): Promise<DeliveryOutcome> {
    const { sender, recipient, database, onWrong } = this.#options.systems
    const deliveredMs = await this.#untilDelivered(Math.max(sinceMs, this.#lastFaultEndedMs))
    sender.signalPrimary('SIGTERM')
    const end = await sender.whenEnded()
    if (end !== 0 && end !== null) onWrong(`the sender ended with ${end} after the last SIGTERM`)
    await sender.whenOrphansGone()
    await Promise.all(this.#farewells)
    await recipient.close()
    const session = await database.session()
    try {
      await session.query('SET statement_timeout = 0')
      const owed = await session.query<Owed>(READ_OWED)
      const { rows } = await session.query<DeliveryRows>(READ_DELIVERY_ROWS)
      const ledger = readLedger<RecipientLedgerEntry>(
        recipient.ledgerFile,
        () => undefined,
        problemOfLine
      )
      if (rows[0] === undefined) throw new Error('the tables of deliveries answered without a row')
      return {
        kills: sender.kills,
        deliveredMs,
        report: await checkDeliveries(owed.rows, ledger, rows[0])
      }
    } finally {
      await session.end()
    }
  }

  async #untilDelivered(sinceMs: number): Promise<number | null> {
    const { database, onWrong } = this.#options.systems
    let told = ''
    const isDone = async (): Promise<boolean> => {
      const [row] = await database.query<{ owed: number; finished: number }>(COUNT_OWED)
      told = `${row?.finished ?? 0} of ${row?.owed ?? 0}`
      return row !== undefined && row.finished >= row.owed
    }
    const took = await eventually(
      isDone,
      DELIVERED_LIMIT_MS - (performance.now() - sinceMs),
      LOOK_EVERY_MS
    )
    if (took === null)
      onWrong(`${told} deliveries had been made ${DELIVERED_LIMIT_MS} ms after the last fault`)
    return took === null ? null : performance.now() - sinceMs
  }
}
