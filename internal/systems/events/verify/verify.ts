/**
 * Looks for every send of a ledger in the tables and the queues, and reports which are
 * missing, duplicated, altered or wrongly decided. The database is not changed.
 *
 * Depths are read before the tables, so a message that is committed in between is found
 * twice rather than not at all.
 *
 * Shapes  ledger entries, one database session, the depths of both queues → Report.
 * Errors  those of the session, the queues and the ledger; a fault of the system under
 *         test is a figure, never an error.
 * Source  internal/docs/architecture.md, invariants I1 to I8.
 */
import type { Clock } from '../../../engine/lifecycle/clock.js'
import { delay } from '../../../engine/lifecycle/interrupt.js'
import type { LedgerEntry } from '../producer/ledger.js'
import {
  type ClientAccounting,
  createReport,
  type Depths,
  type FaultExample,
  type Findings,
  type MetricTotals,
  type Report
} from './report.js'
import * as sql from './statements.js'

/** One database session, not a pool: temporary tables belong to a session. */
export interface SqlSession {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>
}

export interface VerifyOptions {
  readonly ledger: AsyncIterable<LedgerEntry>
  /** The number of the torn last line, or null; called once the whole ledger is read. */
  readonly tornLine: () => number | null
  readonly db: SqlSession
  readonly depths: () => Promise<Depths>
  /** Null: metrics are not compared. */
  readonly metricTotals: (() => Promise<MetricTotals>) | null
  /** How long to wait for a drained queue and no unaccounted send; 0 looks once. */
  readonly waitMs: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

const LOAD_ENTRIES = 5_000
const POLL_MS = 500

export async function verify(options: VerifyOptions): Promise<Report> {
  const { db, clock, signal, waitMs } = options
  await load(options.ledger, db)
  const endsMs = clock.monotonicMs() + waitMs
  for (;;) {
    const startedMs = clock.monotonicMs()
    const depths = await options.depths()
    const isLast = (): boolean => signal.aborted || clock.monotonicMs() >= endsMs
    // Until the queue is drained, some messages are certainly on their way, and the
    // tables need not be read.
    if (depths.queue === 0 || isLast()) {
      const report = createReport(
        await find(db),
        depths,
        options.tornLine(),
        (await options.metricTotals?.()) ?? null
      )
      if (isSettled(report) || isLast()) return report
    }
    // Reading large tables takes time; waiting as long again leaves the database free for
    // others.
    await delay(
      clock,
      Math.min(endsMs - clock.monotonicMs(), Math.max(POLL_MS, clock.monotonicMs() - startedMs)),
      signal
    )
  }
}

/**
 * Nothing is on its way: unaccounted sends are in the dead-letter queue, and the counters
 * have caught up.
 */
function isSettled({ depths, lost, metrics }: Report): boolean {
  return (
    depths.queue === 0 &&
    lost === 0 &&
    (metrics === null || (metrics.stored.isEqual && metrics.rejected.isEqual))
  )
}

async function load(ledger: AsyncIterable<LedgerEntry>, db: SqlSession): Promise<void> {
  await db.query(sql.CREATE_SENT)
  let batch: LedgerEntry[] = []
  for await (const entry of ledger) {
    batch.push(entry)
    if (batch.length < LOAD_ENTRIES) continue
    await insertSent(batch, db)
    batch = []
  }
  await insertSent(batch, db)
  await db.query(sql.ANALYZE_SENT)
}

async function insertSent(batch: readonly LedgerEntry[], db: SqlSession): Promise<void> {
  const column = (pick: (entry: LedgerEntry) => string | null): (string | null)[] =>
    batch.map(entry => storable(pick(entry)))
  await db.query(sql.INSERT_SENT, [
    column(entry => entry.queueMessageId),
    column(entry => entry.clientId),
    column(entry => entry.eventType),
    column(entry => entry.eventId),
    column(entry => entry.payloadSha256),
    batch.map(entry => entry.valid)
  ])
}

/**
 * An invalid event may have a name that PostgreSQL cannot hold. No row can have that name
 * either, so any other text will do.
 */
function storable(text: string | null): string | null {
  return text?.includes('\0') === true ? text.replaceAll('\0', '\uFFFD') : text
}

async function find(db: SqlSession): Promise<Findings> {
  await db.query(sql.BEGIN_SNAPSHOT)
  await db.query(sql.CREATE_HELD)
  await db.query(sql.ANALYZE_HELD)
  await db.query(sql.NO_NESTED_LOOPS)
  await db.query(sql.CREATE_FATE)
  const { rows: tallies } = await db.query(sql.COUNT_BY_CLIENT)
  const { rows: reasons } = await db.query(sql.COUNT_BY_REASON)
  const { rows: examples } = await db.query(sql.LIST_EXAMPLES)
  const { rows: counts } = await db.query(sql.COUNT_ROWS)
  await db.query(sql.END_SNAPSHOT)
  const byReason = reasons as readonly { clientId: string; reason: string; sends: number }[]
  const clients = (tallies as readonly Omit<ClientAccounting, 'rejectedByReason'>[]).map(tally => ({
    ...tally,
    rejectedByReason: Object.fromEntries(
      byReason.filter(row => row.clientId === tally.clientId).map(row => [row.reason, row.sends])
    )
  }))
  return {
    ...(counts[0] as Omit<Findings, 'clients' | 'examples'>),
    clients,
    examples: examples as readonly FaultExample[]
  }
}
