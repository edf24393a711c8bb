/**
 * Signals other processes and looks at them. A process that has already ended is not an
 * error.
 */
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { eventually } from './eventually.js'

/** False if the process no longer exists. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/**
 * A zombie counts as ended: its parent, such as a container's first process, may collect
 * it late.
 */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return process.platform !== 'linux'
  }
}

/** How long it took until all had ended; null if they did not within `withinMs`. */
export function untilGone(pids: readonly number[], withinMs: number): Promise<number | null> {
  return eventually(() => !pids.some(isRunning), withinMs)
}

export interface Found {
  readonly pid: number
  /** The kernel's state for it (R running, S waiting, T stopped), and its arguments. */
  readonly what: string
}

/** All processes that run `entry` in `directory`; none if there is no /proc. */
export function findRunning(entry: string, directory: string): readonly Found[] {
  if (process.platform !== 'linux') return []
  const path = realpathSync(directory)
  return readdirSync('/proc')
    .map(Number)
    .filter(Number.isInteger)
    .flatMap(pid => {
      try {
        const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
        if (!args.includes(entry) || readlinkSync(`/proc/${pid}/cwd`) !== path) return []
        const state =
          /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '?'
        return [{ pid, what: `${state} ${args.join(' ').trim()}` }]
      } catch {
        // It has ended meanwhile, or belongs to another user.
        return []
      }
    })
}
