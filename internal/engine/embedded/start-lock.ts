/**
 * One starter at a time per directory; a lock whose holder has died is taken over.
 *
 * Source  POSIX link(2): creating a second name for a file is atomic and fails where the
 *         name exists, so a lock is never seen half-written.
 */
import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive } from './process-alive.js'

const RETRY_MS = 50

/** Runs `work` while no other process does so in `directory`. */
export async function withStartLock<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const lock = join(directory, 'starting')
  const mine = `${process.pid} ${randomUUID()}`
  while (!(await acquire(lock, mine))) await delay(RETRY_MS)
  try {
    return await work()
  } finally {
    if (read(lock) === mine) rmSync(lock, { force: true })
  }
}

async function acquire(lock: string, mine: string): Promise<boolean> {
  const draft = `${lock}.${randomUUID()}`
  const holder = read(lock)
  if (holder !== null) {
    if (isAlive(Number(holder.split(' ')[0]))) return false
    rmSync(lock, { force: true })
  }
  writeFileSync(draft, mine)
  try {
    linkSync(draft, lock)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
  // Another process that saw the same dead holder may have just removed our lock: check
  // again after giving it time.
  if (holder !== null) await delay(RETRY_MS)
  return read(lock) === mine
}

function read(lock: string): string | null {
  try {
    return readFileSync(lock, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
