/**
 * Reads the running server of a data directory from its postmaster.pid, to adopt one that
 * outlived its starter, and to stop it.
 *
 * Source  PostgreSQL, miscadmin.h: the lines of postmaster.pid are pid, data directory,
 *         start time, port, socket directory, listen address, shared memory key, status;
 *         the file is removed as the last act of a shutdown.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export interface Postmaster {
  readonly pid: number
  readonly port: number
  readonly isReady: boolean
}

const POLL_MS = 20
const FAST_STOP_MS = 20_000
const IMMEDIATE_STOP_MS = 10_000

/** What postmaster.pid says, true or not; null while it is missing or incomplete. */
export function readPidFile(dataPath: string): Postmaster | null {
  let lines: string[]
  try {
    lines = readFileSync(join(dataPath, 'postmaster.pid'), 'utf8').split('\n')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  const pid = Number(lines[0])
  const port = Number(lines[3])
  if (!Number.isInteger(pid) || pid < 1 || !Number.isInteger(port)) return null
  return { pid, port, isReady: lines[7]?.trim() === 'ready' }
}

/**
 * True while process `pid` serves `realDataPath`; false for a zombie, and for a pid that
 * now belongs to another program.
 */
export function isServing(pid: number, realDataPath: string): boolean {
  try {
    if (process.platform === 'linux') {
      // The server works in its data directory, and keeps it even if it is removed.
      const directory = readlinkSync(`/proc/${pid}/cwd`)
      return directory === realDataPath || directory === `${realDataPath} (deleted)`
    }
    return execFileSync('ps', ['-p', String(pid), '-o', 'args='], { encoding: 'utf8' }).includes(
      realDataPath
    )
  } catch {
    return false
  }
}

/**
 * Ends the server: committed data is safe on disk, open sessions are cut off. Resolves
 * when `isGone`, or when nothing more can be done.
 */
export async function stopPostmaster(pid: number, isGone: () => boolean): Promise<void> {
  const steps = [
    { signal: 'SIGINT', withinMs: FAST_STOP_MS },
    { signal: 'SIGQUIT', withinMs: IMMEDIATE_STOP_MS },
    { signal: 'SIGKILL', withinMs: IMMEDIATE_STOP_MS }
  ] as const
  for (const { signal, withinMs } of steps) {
    if (isGone()) return
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return
      throw error
    }
    if (await waitUntil(isGone, withinMs)) return
  }
}

/** True once `condition` holds; false if it does not within `withinMs`. */
export async function waitUntil(condition: () => boolean, withinMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > deadlineMs) return false
    await delay(POLL_MS)
  }
  return true
}
