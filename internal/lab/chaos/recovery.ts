/**
 * Times how long the processor takes to commit or receive again after a fault.
 *
 * Units   milliseconds.
 */

import { eventually } from '../programs/eventually.js'
import type { ChaosDatabase } from './database.js'
import { FAULTS, type FaultKind } from './faults.js'
import type { Systems } from './inject.js'
import type { QueueProxy } from './queue-proxy.js'

export interface Recovery {
  readonly kind: FaultKind
  readonly tookMs: number
}

const BACK_LIMIT_MS = 60_000

/** Null where nothing has to resume, or nothing does in time. */
export async function timeRecovery(
  { database, queueProxy, onWrong }: Systems,
  kind: FaultKind
): Promise<number | null> {
  const { back } = FAULTS[kind]
  if (back === null) return null
  const took = back === 'commit' ? await timeToCommit(database) : await timeToReceive(queueProxy)
  if (took === null) onWrong(`no ${back} within ${BACK_LIMIT_MS} ms after ${kind}`)
  return took
}

/** Until a transaction that begins now or later is visible as committed. */
async function timeToCommit(database: ChaosDatabase): Promise<number | null> {
  const [from] = await database.query<{ tx: string }>(
    'SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS tx'
  )
  const hasCommitted = async (): Promise<boolean> =>
    (await database.query('SELECT FROM message WHERE tx >= $1::xid8 LIMIT 1', [from?.tx])).length >
    0
  return eventually(hasCommitted, BACK_LIMIT_MS)
}

function timeToReceive(queueProxy: QueueProxy): Promise<number | null> {
  const before = queueProxy.receivesAnswered
  return eventually(() => queueProxy.receivesAnswered > before, BACK_LIMIT_MS)
}
