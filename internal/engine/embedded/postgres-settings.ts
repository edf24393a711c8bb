/**
 * How the embedded PostgreSQL is tuned: sensible on a small machine, faster when there is
 * room.
 *
 * Units   as PostgreSQL writes them (MB, GB, min).
 */
import { statfsSync } from 'node:fs'
import { totalmem } from 'node:os'

const MIB = 1024 * 1024
const GIB = 1024 * MIB
const MIN_BUFFER_MIB = 64
const MAX_BUFFER_MIB = 2_048

/**
 * Settings for `postgres -c`; without `isDurable` a crash may lose everything, which only
 * a test can afford.
 */
export function serverSettings(
  dataDir: string,
  isDurable: boolean
): Readonly<Record<string, string>> {
  const { bavail, bsize } = statfsSync(dataDir)
  return {
    shared_buffers: isDurable ? `${bufferMebibytes()}MB` : '64MB',
    max_wal_size: bavail * bsize >= 16 * GIB ? '4GB' : '1GB',
    checkpoint_timeout: '15min',
    // Short statements on a small machine: compiling them costs more than it saves.
    jit: 'off',
    ...(isDurable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' })
  }
}

/**
 * An eighth of the memory: room for the indexes of ten million rows where there is much
 * of it. Pages that are not used take none.
 */
function bufferMebibytes(): number {
  return Math.max(MIN_BUFFER_MIB, Math.min(MAX_BUFFER_MIB, Math.floor(totalmem() / 8 / MIB)))
}
