/**
 * Tunes the embedded PostgreSQL: sensible on a small machine, faster on a large one.
 *
 * Units   as PostgreSQL writes them (MB, GB, min).
 */
import { statfsSync } from 'node:fs'
import { totalmem } from 'node:os'

const MIB = 1024 * 1024
const GIB = 1024 * MIB
const MIN_BUFFER_MIB = 64
const MAX_BUFFER_MIB = 2_048

/** For `postgres -c`; a crash loses no commit. */
export function durableSettings(dataDir: string): Readonly<Record<string, string>> {
  return {
    shared_buffers: `${bufferMebibytes()}MB`,
    max_wal_size: freeBytes(dataDir) >= 16 * GIB ? '4GB' : '1GB',
    checkpoint_timeout: '15min',
    // Short statements on a small machine: compiling them costs more than it saves.
    jit: 'off'
  }
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}

/**
 * An eighth of the memory: on a large machine, room for the indexes of ten million rows.
 * Unused pages take no memory.
 */
function bufferMebibytes(): number {
  return Math.max(MIN_BUFFER_MIB, Math.min(MAX_BUFFER_MIB, Math.floor(totalmem() / 8 / MIB)))
}
