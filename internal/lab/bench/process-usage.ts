/**
 * CPU time and memory of the processes that take part; null on systems other than Linux.
 */
import { readdirSync, readFileSync } from 'node:fs'
import {
  CPU_TICK_MS,
  type ProcessStat,
  parseMachineTicks,
  parsePeakBytes,
  parseStat,
  treeOf
} from './proc-stat.js'

/** Who shares the processors, each with all processes that it started. */
export const PARTIES = ['subject', 'postgres', 'queue', 'bench'] as const
export type Party = (typeof PARTIES)[number]
/** 0 for a party that does not take part. */
export type PartyPids = Readonly<Record<Party, number>>
/** Milliseconds of CPU time since the start of each. */
export type CpuTimes = Readonly<Record<Party, number>>

/** Of all processors together, since the system started. */
export interface MachineTimes {
  readonly busyMs: number
  readonly totalMs: number
}

export interface Memory {
  /** Sum of the peaks of all processes of the subject. */
  readonly totalBytes: number
  /** The largest of them; of the processor's, a worker. */
  readonly largestBytes: number
}

export function readCpuTimes(pids: PartyPids): CpuTimes | null {
  const processes = readProcesses()
  if (processes === null) return null
  const sum = (stats: readonly ProcessStat[]): number =>
    stats.reduce((ticks, stat) => ticks + stat.cpuTicks, 0) * CPU_TICK_MS
  const ofParty = (party: Party): number => sum(treeOf(pids[party], processes))
  // All others are children of the bench, so only its own process counts for it; its
  // ended children are earlier subjects.
  const usage = process.cpuUsage()
  return {
    subject: ofParty('subject'),
    postgres: ofParty('postgres'),
    queue: ofParty('queue'),
    bench: (usage.user + usage.system) / 1_000
  }
}

export function readMachineTimes(): MachineTimes | null {
  const ticks = process.platform === 'linux' ? parseMachineTicks(read('/proc/stat')) : null
  return ticks === null
    ? null
    : { busyMs: ticks.busy * CPU_TICK_MS, totalMs: ticks.total * CPU_TICK_MS }
}

export function readPeakMemory(pid: number): Memory | null {
  const processes = readProcesses()
  if (processes === null) return null
  const peaks = treeOf(pid, processes).flatMap(
    stat => parsePeakBytes(read(`/proc/${stat.pid}/status`)) ?? []
  )
  return {
    totalBytes: peaks.reduce((sum, bytes) => sum + bytes, 0),
    largestBytes: Math.max(0, ...peaks)
  }
}

/** All processes of this machine. */
export function readProcesses(): readonly ProcessStat[] | null {
  if (process.platform !== 'linux') return null
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => parseStat(read(`/proc/${pid}/stat`)) ?? [])
}

/** '' for a process that has just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
