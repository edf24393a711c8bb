/**
 * Watches a subject work through its events, and measures the part that window.ts
 * describes.
 *
 * Units   milliseconds on the bench's monotonic clock; the figures' units are in their
 *         names.
 * Errors  Stalled, thrown by the window.
 */
import { setTimeout as delay } from 'node:timers/promises'
import {
  type CpuTimes,
  type MachineTimes,
  PARTIES,
  type PartyPids,
  readCpuTimes,
  readMachineTimes
} from './process-usage.js'
import type { Round } from './results.js'
import { WARM_UP_SHARE, Window } from './window.js'

export type Drained = Pick<
  Round,
  'measuredEvents' | 'seconds' | 'eventsPerSecond' | 'cpuUsPerEvent' | 'othersShare'
>

export interface DrainOptions {
  readonly events: number
  readonly pids: PartyPids
  readonly settledByNow: () => Promise<number>
  readonly signal: AbortSignal
  /** Share of the events that is warm-up; 0 measures from the first reading on. */
  readonly warmUpShare?: number
  readonly onBegin?: () => void
}

interface Sample {
  readonly atMs: number
  readonly settled: number
  readonly cpu: CpuTimes | null
  readonly machine: MachineTimes | null
}

/**
 * Rarely, because each reading costs CPU time; often near the end, because the last
 * reading ends the measurement.
 */
const LOOK_EVERY_MS = 50
const LOOK_NEAR_END_EVERY_MS = 10
const NEAR_END_SHARE = 0.9

export async function drain(options: DrainOptions): Promise<Drained> {
  const {
    events,
    pids,
    settledByNow,
    signal,
    warmUpShare = WARM_UP_SHARE,
    onBegin = () => undefined
  } = options
  const window = new Window(events, warmUpShare)
  let begin: Sample | null = null
  while (!signal.aborted) {
    const settled = await settledByNow()
    const atMs = performance.now()
    const moment = window.look(settled, atMs)
    if (moment === 'begin') {
      begin = { atMs, settled, cpu: readCpuTimes(pids), machine: readMachineTimes() }
      onBegin()
    }
    if (moment === 'end' && begin !== null)
      return measure(begin, { atMs, settled, cpu: readCpuTimes(pids), machine: readMachineTimes() })
    await delay(settled < events * NEAR_END_SHARE ? LOOK_EVERY_MS : LOOK_NEAR_END_EVERY_MS)
  }
  throw new Error('stopped')
}

function measure(begin: Sample, end: Sample): Drained {
  const measuredEvents = end.settled - begin.settled
  const seconds = (end.atMs - begin.atMs) / 1_000
  const perEvent = (before: number, after: number): number =>
    ((after - before) * 1_000) / measuredEvents
  const { cpu: from } = begin
  const { cpu: to } = end
  return {
    measuredEvents,
    seconds,
    eventsPerSecond: measuredEvents / seconds,
    othersShare: othersShare(begin, end),
    cpuUsPerEvent:
      from === null || to === null
        ? null
        : {
            subject: perEvent(from.subject, to.subject),
            postgres: perEvent(from.postgres, to.postgres),
            queue: perEvent(from.queue, to.queue),
            bench: perEvent(from.bench, to.bench)
          }
  }
}

function othersShare(begin: Sample, end: Sample): number | null {
  if (begin.cpu === null || end.cpu === null || begin.machine === null || end.machine === null)
    return null
  const { cpu: from } = begin
  const { cpu: to } = end
  const ours = PARTIES.reduce((sum, party) => sum + to[party] - from[party], 0)
  const all = end.machine.totalMs - begin.machine.totalMs
  return all <= 0 ? null : Math.max(0, end.machine.busyMs - begin.machine.busyMs - ours) / all
}
