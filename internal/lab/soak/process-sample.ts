/** What each process holds at this moment, from /proc. */
import { readdirSync, readFileSync } from 'node:fs'
import { treeOf } from '../bench/proc-stat.js'
import { readProcesses } from '../bench/process-usage.js'

export interface ProcessSample {
  readonly pid: number
  readonly rssBytes: number
  /** Open files, sockets and pipes. */
  readonly handles: number
}

/**
 * The processor's primary first, then its workers; null without /proc. A process that has
 * just ended is left out.
 */
export function sampleProcesses(primaryPid: number): readonly ProcessSample[] | null {
  const processes = readProcesses()
  if (processes === null) return null
  return treeOf(primaryPid, processes).flatMap(({ pid }) => sample(pid) ?? [])
}

function sample(pid: number): ProcessSample | null {
  try {
    const rssBytes = parseRssBytes(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return rssBytes === null
      ? null
      : { pid, rssBytes, handles: readdirSync(`/proc/${pid}/fd`).length }
  } catch {
    return null
  }
}

/** Null for a process that has ended and was not reaped yet. */
export function parseRssBytes(status: string): number | null {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  return kibibytes === undefined ? null : Number(kibibytes) * 1_024
}
