/**
 * Does the insert rate hold while the table grows? Our own store writes slices of events
 * to an empty table, and again after the server has filled it.
 *
 * A slice starts after a checkpoint: the first touch of each page then writes the whole
 * page to the log, which is where a large table costs more. The whole slice is measured.
 * The empty table is measured first and last, so that a change of the machine shows as
 * its spread.
 *
 * Units   in the names; CPU is that of PostgreSQL with all its processes.
 * Errors  ExpectedError if the disk has no room for the rows.
 */
import { statfsSync } from 'node:fs'
import type { Client } from 'pg'
import { ExpectedError } from '../../engine/lifecycle/service.js'
import { startBaseline } from './baseline-subject.js'
import { drain } from './drain.js'
import type { BenchServices } from './services.js'
import { type Spread, spreadOf } from './statistics.js'

export interface GrowthSlice {
  /** Rows in the table before it. */
  readonly rows: number
  readonly rowsPerSecond: number
  readonly postgresUsPerRow: number | null
  readonly walBytesPerRow: number
}

/** All slices at one size of the table. */
export interface GrowthStep {
  readonly rows: number
  readonly slices: number
  readonly rowsPerSecond: Spread
  readonly postgresUsPerRow: Spread | null
  readonly walBytesPerRow: Spread
  /**
   * Medians: this rate / the empty table's, and the empty table's CPU time per row / this
   * one's. 1 is as fast as empty.
   */
  readonly rateToEmpty: number
  readonly cpuToEmpty: number | null
}

export interface GrowthOptions {
  readonly services: BenchServices
  /** Where the database keeps its data. */
  readonly directory: string
  readonly rows: number
  readonly sliceRows: number
  readonly signal: AbortSignal
  readonly aborted: Promise<never>
  readonly say: (line: string) => void
}

const STEP_SHARES = [0.1, 0.3, 1]
const SLICES = 2
const FILL_CHUNK_ROWS = 500_000
/** Table and indexes, roughly; the log is extra. */
const DISK_BYTES_PER_ROW = 800
const DISK_BYTES_FOR_LOG = 6 * 1024 ** 3

// Random ids, as producers and queues make them. The rows satisfy the foreign keys by
// construction, so these are not checked.
const FILL = `
INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message)
SELECT 'client-' || 1 + n % 3,
       (ARRAY['monitor-app', 'transaction-app', 'user-app'])[1 + n / 3 % 3],
       gen_random_uuid()::text,
       json_build_object('sequence', n, 'amount', n * 0.5, 'note', repeat('f', 300))
FROM generate_series(1, $1::int) AS n`

export async function measureGrowth(options: GrowthOptions): Promise<readonly GrowthSlice[]> {
  const { services, rows: target, sliceRows, say } = options
  assertRoom(options)
  const slices: GrowthSlice[] = []
  const take = async (rows: number): Promise<void> => {
    const slice = await measureSlice(options, rows)
    slices.push(slice)
    const cpu =
      slice.postgresUsPerRow === null
        ? ''
        : `, PostgreSQL ${slice.postgresUsPerRow.toFixed(1)} µs/row`
    const rate = Math.round(slice.rowsPerSecond).toLocaleString('en-US')
    say(`  ${rows.toLocaleString('en-US').padStart(11)} rows  ${rate} rows/s${cpu}`)
  }
  const takeEmpty = async (): Promise<void> => {
    for (let count = 0; count < SLICES; count++) {
      await services.db.query('TRUNCATE message, rejection')
      await take(0)
    }
  }

  // Autovacuum would run during some slices and not during others. Its own cost per row
  // is the same at any size.
  await services.db.query('ALTER TABLE message SET (autovacuum_enabled = off)')
  await takeEmpty()
  for (const share of STEP_SHARES) {
    const rows = Math.round(target * share)
    await fillTo(options, rows)
    for (let count = 0; count < SLICES; count++) await take(rows + count * sliceRows)
  }
  await takeEmpty()
  return slices
}

/** The slices of one step are those that started between its size and the next one's. */
export function summarizeGrowth(
  slices: readonly GrowthSlice[],
  target: number
): readonly GrowthStep[] {
  const sizes = [0, ...STEP_SHARES.map(share => Math.round(target * share))]
  const steps = sizes.flatMap((rows, index) => {
    const next = sizes[index + 1] ?? Number.POSITIVE_INFINITY
    const own = slices.filter(slice => slice.rows >= rows && slice.rows < next)
    const rowsPerSecond = spreadOf(own.map(slice => slice.rowsPerSecond))
    const walBytesPerRow = spreadOf(own.map(slice => slice.walBytesPerRow))
    if (rowsPerSecond === null || walBytesPerRow === null) return []
    return {
      rows,
      slices: own.length,
      rowsPerSecond,
      walBytesPerRow,
      postgresUsPerRow: spreadOf(own.flatMap(one => one.postgresUsPerRow ?? []))
    }
  })
  const [empty] = steps
  return steps.map(step => ({
    ...step,
    rateToEmpty: step.rowsPerSecond.median / (empty?.rowsPerSecond.median ?? Number.NaN),
    cpuToEmpty:
      step.postgresUsPerRow === null
        ? null
        : (empty?.postgresUsPerRow?.median ?? Number.NaN) / step.postgresUsPerRow.median
  }))
}

async function measureSlice(
  { services, sliceRows, signal, aborted }: GrowthOptions,
  rows: number
): Promise<GrowthSlice> {
  const { db, aws, dbConnection, postgresPid, queuePid } = services
  await db.query('CHECKPOINT')
  const subject = await startBaseline({
    name: 'insert',
    aws,
    queueUrl: '',
    dbConnection,
    pollers: 1,
    events: sliceRows
  })
  try {
    const from = await readLogPosition(db)
    const settledByNow = async (): Promise<number> => (await subject.settled()) ?? 0
    const pids = {
      subject: subject.pid,
      postgres: postgresPid,
      queue: queuePid,
      bench: process.pid
    }
    const drained = await Promise.race([
      drain({ events: sliceRows, pids, settledByNow, signal, warmUpShare: 0 }),
      subject.failure,
      aborted
    ])
    const written = (await readLogPosition(db)) - from
    return {
      rows,
      rowsPerSecond: drained.eventsPerSecond,
      postgresUsPerRow: drained.cpuUsPerEvent?.postgres ?? null,
      walBytesPerRow: written / sliceRows
    }
  } finally {
    await subject.stop()
  }
}

/** Bytes of log since the database was created. */
async function readLogPosition(db: Client): Promise<number> {
  const { rows } = await db.query<{ bytes: string }>(
    "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS bytes"
  )
  return Number(rows[0]?.bytes)
}

async function fillTo(
  { services: { db }, rows: target, signal, say }: GrowthOptions,
  rows: number
): Promise<void> {
  const counted = await db.query<{ count: number }>('SELECT count(*)::int AS count FROM message')
  let missing = rows - (counted.rows[0]?.count ?? 0)
  say(`  filling up to ${rows.toLocaleString('en-US')} of ${target.toLocaleString('en-US')} rows …`)
  await db.query("SET session_replication_role = 'replica'")
  while (missing > 0) {
    if (signal.aborted) throw new Error('stopped')
    const chunk = Math.min(missing, FILL_CHUNK_ROWS)
    await db.query(FILL, [chunk])
    missing -= chunk
  }
  await db.query('RESET session_replication_role')
  // What autovacuum would have done meanwhile.
  await db.query('VACUUM (ANALYZE) message')
}

function assertRoom({ directory, rows }: GrowthOptions): void {
  const { bavail, bsize } = statfsSync(directory)
  const needed = rows * DISK_BYTES_PER_ROW + DISK_BYTES_FOR_LOG
  if (bavail * bsize >= needed) return
  const gib = (bytes: number): string => (bytes / 1024 ** 3).toFixed(1)
  throw new ExpectedError(
    `${rows.toLocaleString('en-US')} rows need about ${gib(needed)} GiB of disk, ` +
      `and ${directory} has ${gib(bavail * bsize)} GiB free. ` +
      'Choose fewer with --rows N, or another place with DATA_DIR.'
  )
}
