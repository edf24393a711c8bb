/** Other processes, as far as signals and a look at them go. Those that have ended already are no error. */
import { readFileSync } from 'node:fs'
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

/** One that has ended and waits to be collected by its parent (a container's first process may be slow) does not run any more. */
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
