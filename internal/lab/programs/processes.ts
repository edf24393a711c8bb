/**
 * Other processes, as far as signals and a look at them go. Those that have ended already
 * are no error.
 */
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { eventually } from './eventually.js'

/** False when there is no such process any more. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/**
 * One that has ended and waits to be collected by its parent (a container's first process
 * may be slow) does not run any more.
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

/** How long it took until all had ended; null when they did not within `withinMs`. */
export function untilGone(pids: readonly number[], withinMs: number): Promise<number | null> {
  return eventually(() => !pids.some(isRunning), withinMs)
}

export interface Found {
  readonly pid: number
  /**
   * Its arguments, and what the kernel says that it does: R runs, S waits, T is stopped.
   */
  readonly what: string
}

/**
 * Those that run `entry` in `directory`, whoever started them; none where there is no
 * /proc.
 */
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
        // It has ended meanwhile, or is somebody else's.
        return []
      }
    })
}
