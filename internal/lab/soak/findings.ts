/**
 * Evaluates the samples of a soak.
 *
 * Shapes  samples in the order in which they were taken in, figures and goals out; pure.
 * Units   seconds since the load began; MiB per 10 minutes; milliseconds of latency.
 */
import { type Histogram, quantileOf, since } from '../bench/histogram.js'
import { type Spread, spreadOf } from '../bench/statistics.js'
import type { ProcessSample } from './process-sample.js'
import { type Trend, trendOf } from './trend.js'

export interface SoakSample {
  readonly atS: number
  /** The primary first. */
  readonly processes: readonly ProcessSample[]
  /** Of all processes together, as V8 counts; mostly not just after a collection. */
  readonly heapBytes: number | null
  readonly lagSeconds: number | null
  /** Sent to committed, since the start. */
  readonly dwell: Histogram | null
  /** Messages that are not deleted yet. */
  readonly backlog: number
}

export interface ProcessFindings {
  readonly pid: number
  readonly role: 'primary' | 'worker'
  readonly firstRssBytes: number
  readonly lastRssBytes: number
  /** MiB per 10 minutes; null for too few samples. */
  readonly slope: Trend | null
  /**
   * The peak, because idle connections are closed, and opened again when they are needed.
   */
  readonly firstHandles: number
  readonly lastHandles: number
}

export interface SoakFindings {
  readonly warmUpS: number
  readonly processes: readonly ProcessFindings[]
  /** The lowest of each minute: what is left after collections. */
  readonly heapBytesByMinute: readonly (number | null)[]
  readonly p99MsByMinute: readonly (number | null)[]
  readonly lagMsByMinute: readonly (number | null)[]
  readonly firstP99Ms: number | null
  readonly lastP99Ms: number | null
}

export interface SoakGoal {
  readonly name: string
  readonly target: string
  readonly measured: string
  readonly isMet: boolean
}

const MIB = 1_024 * 1_024
const MINUTE_S = 60
const SLOPE_UNIT_S = 600
const WARM_UP_SHARE = 1 / 6
const MAX_WARM_UP_SHARE = 1 / 3
const MAX_SLOPE_MIB = 1
const MAX_MORE_HANDLES = 2
const MAX_P99_DRIFT = 0.1

/**
 * A sixth of the time, at least a minute and at most a third: meanwhile code is compiled,
 * and heaps and pools grow to their size.
 */
export function warmUpSeconds(totalS: number): number {
  return Math.min(totalS * MAX_WARM_UP_SHARE, Math.max(MINUTE_S, totalS * WARM_UP_SHARE))
}

export function findIn(samples: readonly SoakSample[], totalS: number): SoakFindings {
  const warmUpS = warmUpSeconds(totalS)
  const counted = samples.filter(({ atS }) => atS >= warmUpS)
  const first = thirdOf(counted, 0)
  const last = thirdOf(counted, 2)
  const pids = [...new Set(counted.flatMap(({ processes }) => processes.map(({ pid }) => pid)))]
  const primary = samples[0]?.processes[0]?.pid
  return {
    warmUpS,
    processes: pids.map(pid => ({
      pid,
      role: pid === primary ? 'primary' : 'worker',
      firstRssBytes: spreadIn(first, pid, ({ rssBytes }) => rssBytes)?.median ?? 0,
      lastRssBytes: spreadIn(last, pid, ({ rssBytes }) => rssBytes)?.median ?? 0,
      slope: trendOf(counted.flatMap(({ atS, processes }) => rssPoint(atS, processes, pid))),
      firstHandles: spreadIn(first, pid, ({ handles }) => handles)?.max ?? 0,
      lastHandles: spreadIn(last, pid, ({ handles }) => handles)?.max ?? 0
    })),
    heapBytesByMinute: byMinute(samples).map(minute =>
      lowest(minute.map(({ heapBytes }) => heapBytes))
    ),
    p99MsByMinute: byMinute(samples).map(p99Of),
    lagMsByMinute: byMinute(samples).map(minute => highestLag(minute)),
    firstP99Ms: p99Of(first),
    lastP99Ms: p99Of(last)
  }
}

export function soakGoals({ processes, firstP99Ms, lastP99Ms }: SoakFindings): readonly SoakGoal[] {
  const slopes = processes.map(({ pid, role, slope }): SoakGoal => {
    const measured =
      slope === null ? '–' : `${signed(slope.slope)} ± ${slope.standardError.toFixed(2)}`
    const isMet = role === 'primary' || (slope !== null && slope.slope < MAX_SLOPE_MIB)
    return {
      name: `RSS of ${role} ${pid}, MiB per 10 min`,
      target: role === 'primary' ? '' : `< ${MAX_SLOPE_MIB}`,
      measured,
      isMet
    }
  })
  const handles = processes.map(({ pid, role, firstHandles, lastHandles }): SoakGoal => {
    const isMet = lastHandles - firstHandles <= MAX_MORE_HANDLES
    return {
      name: `most handles of ${role} ${pid}`,
      target: `≤ +${MAX_MORE_HANDLES}`,
      measured: `${firstHandles} → ${lastHandles}`,
      isMet
    }
  })
  const drift = firstP99Ms === null || lastP99Ms === null ? null : lastP99Ms / firstP99Ms - 1
  const p99: SoakGoal = {
    name: 'p99 sent → committed, first third → last third',
    target: `< +${MAX_P99_DRIFT * 100} %`,
    measured:
      drift === null
        ? '–'
        : `${firstP99Ms?.toFixed(1)} → ${lastP99Ms?.toFixed(1)} ms, ${signed(drift * 100)} %`,
    isMet: drift !== null && drift < MAX_P99_DRIFT
  }
  return [...slopes, ...handles, p99]
}

function rssPoint(
  atS: number,
  processes: readonly ProcessSample[],
  pid: number
): { x: number; y: number }[] {
  const process = processes.find(one => one.pid === pid)
  return process === undefined ? [] : [{ x: atS / SLOPE_UNIT_S, y: process.rssBytes / MIB }]
}

function thirdOf(samples: readonly SoakSample[], third: 0 | 2): readonly SoakSample[] {
  const cut = (part: number): number => Math.floor((samples.length * part) / 3)
  return samples.slice(cut(third), cut(third + 1))
}

function spreadIn(
  samples: readonly SoakSample[],
  pid: number,
  pick: (process: ProcessSample) => number
): Spread | null {
  return spreadOf(
    samples.flatMap(({ processes }) => processes.filter(one => one.pid === pid).map(pick))
  )
}

function byMinute(samples: readonly SoakSample[]): readonly (readonly SoakSample[])[] {
  const minutes: SoakSample[][] = []
  for (const sample of samples) (minutes[Math.floor(sample.atS / MINUTE_S)] ??= []).push(sample)
  return minutes
}

/** Covers what was committed between the first and the last of these samples. */
function p99Of(samples: readonly SoakSample[]): number | null {
  const from = samples.find(({ dwell }) => dwell !== null)?.dwell
  const to = samples.findLast(({ dwell }) => dwell !== null)?.dwell
  if (from === undefined || from === null || to === undefined || to === null) return null
  const seconds = quantileOf(since(from, to), 0.99)
  return seconds === null ? null : seconds * 1_000
}

function lowest(values: readonly (number | null)[]): number | null {
  return spreadOf(values.filter(value => value !== null))?.min ?? null
}

function highestLag(samples: readonly SoakSample[]): number | null {
  const seconds = spreadOf(
    samples.map(({ lagSeconds }) => lagSeconds).filter(value => value !== null)
  )?.max
  return seconds === undefined ? null : seconds * 1_000
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(2)}`
}
