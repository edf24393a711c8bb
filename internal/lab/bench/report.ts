/** The figures as text: a line about the machine, the table, the goals. */

import { formatFigures } from '../../engine/cli/table.js'
import type { Goal } from './goals.js'
import type { Machine } from './machine.js'
import { type Summary, totalUs } from './results.js'
import { BUSY_SHARE } from './scenarios.js'
import type { Spread } from './statistics.js'

const MIB = 1024 * 1024
const GIB = 1024 * MIB
const NONE = '–'
const UNKNOWN = 'n/a'

export function machineLine(machine: Machine): string {
  const { cpus, model, memoryBytes, node, postgres, postgresSettings, syncMs, loadBefore } = machine
  const { fsync = '?', synchronous_commit: commit = '?' } = postgresSettings
  return [
    `${cpus} × ${model}`,
    `${(memoryBytes / GIB).toFixed(1)} GiB`,
    `Node ${node}`,
    `PostgreSQL ${postgres} (fsync ${fsync}, synchronous_commit ${commit})`,
    `synced 8 KB write ${syncMs === null ? UNKNOWN : `${syncMs.median.toFixed(2)} ms`}`,
    `load before ${loadBefore.toFixed(1)}`
  ].join(' · ')
}

/** Null on a quiet machine. */
export function noiseWarning({ cpus, loadBefore }: Machine): string | null {
  return loadBefore > cpus / 4
    ? `Other work was under way (load ${loadBefore.toFixed(1)} on ${cpus} processors): ` +
        'compare figures of this run only with each other.'
    : null
}

export function resultTable(summaries: readonly Summary[]): string {
  const head = [
    'scenario',
    'events/s',
    '× naive',
    '% of rec+del',
    '% of INSERT',
    'CPU µs/event',
    'PostgreSQL',
    'queue',
    'sum',
    'p50 ms',
    'p99 ms',
    'RSS MiB'
  ]
  return formatFigures([head, ...summaries.map(row)])
}

function row(summary: Summary): readonly string[] {
  const { title, eventsPerSecond, cpuUsPerEvent: cpu, ratios, p50Ms, p99Ms, totalBytes } = summary
  const cost = (us: number | null | undefined): string =>
    us === undefined || us === null ? UNKNOWN : us.toFixed(us < 100 ? 1 : 0)
  return [
    title,
    rate(eventsPerSecond),
    ratios.toNaive === null ? NONE : ratios.toNaive.toFixed(2),
    percent(ratios.toReceiveDelete),
    percent(ratios.toInsert),
    cost(cpu?.subject.median),
    cost(cpu?.postgres.median),
    cost(cpu?.queue.median),
    cost(totalUs(summary)),
    p50Ms === null ? NONE : p50Ms.median.toFixed(1),
    p99Ms === null ? NONE : p99Ms.median.toFixed(1),
    totalBytes === null ? UNKNOWN : (totalBytes.median / MIB).toFixed(0)
  ]
}

/** The median, and the extremes where there were several rounds. */
export function rate({ median, min, max }: Spread): string {
  return min === max ? whole(median) : `${whole(median)} (${whole(min)}–${whole(max)})`
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function percent(ratio: number | null): string {
  return ratio === null ? NONE : `${(ratio * 100).toFixed(0)} %`
}

/** What the table has no column for. */
export function remarks(summaries: readonly Summary[]): readonly string[] {
  return summaries.flatMap(
    ({
      scenario,
      title,
      meanRows,
      rowsPerCommitSecond,
      largestBytes,
      eventLoopLagMs,
      busyLatency,
      ratios
    }) => {
      if (meanRows === null || rowsPerCommitSecond === null) return []
      const { cpuSavingToNaive, toOurs } = ratios
      return [
        [
          `${title}: ${whole(meanRows.median)} rows per commit`,
          `${whole(rowsPerCommitSecond.median)} rows per second of commit`,
          ...(largestBytes === null
            ? []
            : [`largest process ${(largestBytes.median / MIB).toFixed(0)} MiB`]),
          ...(eventLoopLagMs === null
            ? []
            : [`longest stall ${eventLoopLagMs.median.toFixed(0)} ms`]),
          ...(cpuSavingToNaive === null
            ? []
            : [`${cpuSavingToNaive.toFixed(1)} × less CPU time per event than naive`]),
          ...(toOurs === null || scenario === 'ours'
            ? []
            : [`${percent(toOurs)} of the rate of ours`])
        ].join(', '),
        ...(busyLatency === null ? [] : [busyLine(title, busyLatency)])
      ]
    }
  )
}

function busyLine(
  title: string,
  { sentPerSecond, p50Ms, p99Ms }: NonNullable<Summary['busyLatency']>
): string {
  const share = `${(BUSY_SHARE * 100).toFixed(0)} %`
  const figures = `p50 ${p50Ms.median.toFixed(1)} ms, p99 ${p99Ms.median.toFixed(1)} ms`
  return `${title} at ${share} of its rate (${whole(sentPerSecond.median)} events/s, producers running too): ${figures}`
}

export function goalLines(goals: readonly Goal[]): string {
  return goals
    .map(({ name, target, measured, isMet }) => {
      const verdict = isMet === null ? 'not measured' : isMet ? 'met' : 'not met'
      const found =
        measured === null ? '' : `, measured ${measured.toFixed(measured < 100 ? 1 : 0)}`
      return `  ${name}: goal ${target}${found}: ${verdict}`
    })
    .join('\n')
}
