/**
 * The machine that the figures were measured on.
 *
 * Units   in the names. `syncMs` is one synced 8 KB write where the database keeps its
 *         data: the floor of a commit.
 */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Client } from 'pg'
import { type Spread, spreadOf } from './statistics.js'

export interface Machine {
  readonly cpus: number
  readonly model: string
  readonly memoryBytes: number
  readonly platform: string
  readonly node: string
  readonly postgres: string
  /** The server's own values: they show whether its commits were durable. */
  readonly postgresSettings: Readonly<Record<string, string>>
  readonly syncMs: Spread | null
  /** Load average of the last minute, before the bench added to it. */
  readonly loadBefore: number
}

const SETTINGS = [
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'shared_buffers',
  'max_wal_size'
]
const SYNCED_WRITES = 50
const WRITE_BYTES = 8_192

export async function describeMachine(
  db: Client,
  directory: string,
  loadBefore: number
): Promise<Machine> {
  const { rows } = await db.query<{ name: string; value: string }>(
    'SELECT name, current_setting(name) AS value FROM pg_settings WHERE name = ANY ($1)',
    [[...SETTINGS, 'server_version']]
  )
  const { server_version: postgres = 'unknown', ...postgresSettings } = Object.fromEntries(
    rows.map(({ name, value }) => [name, value])
  )
  return {
    cpus: availableParallelism(),
    model: cpus()[0]?.model.trim() ?? 'unknown',
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    postgres,
    postgresSettings,
    syncMs: measureSync(directory),
    loadBefore
  }
}

export function currentLoad(): number {
  return loadavg()[0] ?? 0
}

function measureSync(directory: string): Spread | null {
  const file = join(directory, 'sync-probe')
  const page = Buffer.alloc(WRITE_BYTES, 1)
  const handle = openSync(file, 'w')
  try {
    const took = Array.from({ length: SYNCED_WRITES }, (_, index) => {
      const startedMs = performance.now()
      writeSync(handle, page, 0, WRITE_BYTES, index * WRITE_BYTES)
      fdatasyncSync(handle)
      return performance.now() - startedMs
    })
    return spreadOf(took)
  } finally {
    closeSync(handle)
    rmSync(file)
  }
}
