/**
 * Reads what Linux reports about processes in /proc.
 *
 * Units   `cpuTicks` are clock ticks, CPU_TICK_MS milliseconds each, of the process
 *         itself and of its children that have ended and were waited for; sizes are
 *         bytes.
 * Errors  null for text that is not in the expected form.
 * Source  proc(5): the name in the second field may hold spaces and parentheses, so
 *         fields are counted from the last parenthesis on.
 */
export interface ProcessStat {
  readonly pid: number
  readonly parentPid: number
  readonly cpuTicks: number
}

/** USER_HZ is 100 on every Linux that Node runs on. */
export const CPU_TICK_MS = 10

const FIRST_FIELD_AFTER_NAME = 3
const PARENT_PID = 4
const CPU_FIELDS = [14, 15, 16, 17]

export function parseStat(text: string): ProcessStat | null {
  const pid = Number.parseInt(text, 10)
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number): number => Number(fields[number - FIRST_FIELD_AFTER_NAME])
  const stat = {
    pid,
    parentPid: field(PARENT_PID),
    cpuTicks: CPU_FIELDS.reduce((sum, number) => sum + field(number), 0)
  }
  return Object.values(stat).every(Number.isSafeInteger) ? stat : null
}

/** The process's peak memory, from /proc/<pid>/status. */
export function parsePeakBytes(status: string): number | null {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
  return kibibytes === undefined ? null : Number(kibibytes) * 1_024
}

/**
 * Ticks of all processors, from the first line of /proc/stat: `busy` is neither idle nor
 * waiting for a disk, `total` is everything.
 */
export function parseMachineTicks(
  text: string
): { readonly busy: number; readonly total: number } | null {
  const [name, ...fields] = (text.split('\n')[0] ?? '').trim().split(/\s+/)
  // User, nice, system, idle, iowait, irq, softirq, steal; what follows is contained in
  // user and nice.
  const ticks = fields.slice(0, 8).map(Number)
  if (name !== 'cpu' || ticks.length < 8 || !ticks.every(Number.isSafeInteger)) return null
  const total = ticks.reduce((sum, one) => sum + one, 0)
  return { busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0), total }
}

/** `pid` and everything below it. */
export function treeOf(pid: number, processes: readonly ProcessStat[]): readonly ProcessStat[] {
  const found = processes.filter(process => process.pid === pid)
  // The list grows while it is walked, so grandchildren are found too.
  for (const parent of found)
    found.push(...processes.filter(({ parentPid }) => parentPid === parent.pid))
  return found
}
