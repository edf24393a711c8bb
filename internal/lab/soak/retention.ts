/**
 * Deletes old rows of `message`, so that the table of a long run keeps its size, its
 * space is reused, and autovacuum has its usual work.
 *
 * Each call notes the oldest running transaction, and deletes what was committed before
 * the note of KEEP_MS ago.
 *
 * Source  internal/systems/events/store/migrations: `message` has an index on `tx`. A
 *         duplicate comes at most about 25 000 events after its first.
 */
import type { Client } from 'pg'

const KEEP_MS = 45_000

export function createRetention(
  db: Pick<Client, 'query'>,
  nowMs: () => number = () => performance.now()
): () => Promise<number> {
  const notes: { readonly atMs: number; readonly tx: string }[] = []
  return async () => {
    const { rows } = await db.query<{ tx: string }>(
      'SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS tx'
    )
    const atMs = nowMs()
    notes.push({ atMs, tx: rows[0]?.tx ?? '0' })
    let due: string | null = null
    for (
      let [oldest] = notes;
      oldest !== undefined && atMs - oldest.atMs >= KEEP_MS;
      [oldest] = notes
    ) {
      due = oldest.tx
      notes.shift()
    }
    if (due === null) return 0
    return (await db.query('DELETE FROM message WHERE tx < $1::xid8', [due])).rowCount ?? 0
  }
}
