/** The figures of a growing table as text. */

import { formatFigures } from '../../engine/cli/table.js'
import { atLeast, type Goal } from './goals.js'
import { rate, whole } from './report.js'
import type { GrowthStep } from './table-growth.js'

const UNKNOWN = 'n/a'

export function growthTable(steps: readonly GrowthStep[]): string {
  const head = [
    'rows in the table',
    'slices',
    'rows/s',
    '% of empty',
    'PostgreSQL µs/row',
    'by CPU, % of empty',
    'WAL bytes/row'
  ]
  return formatFigures([
    head,
    ...steps.map(
      ({
        rows,
        slices,
        rowsPerSecond,
        rateToEmpty,
        postgresUsPerRow: cpu,
        cpuToEmpty,
        walBytesPerRow
      }) => [
        whole(rows),
        String(slices),
        rate(rowsPerSecond),
        `${(rateToEmpty * 100).toFixed(0)} %`,
        cpu === null
          ? UNKNOWN
          : `${cpu.median.toFixed(1)} (${cpu.min.toFixed(1)}–${cpu.max.toFixed(1)})`,
        cpuToEmpty === null ? UNKNOWN : `${(cpuToEmpty * 100).toFixed(0)} %`,
        rate(walBytesPerRow)
      ]
    )
  ])
}

/**
 * The empty table is measured first and last. If its rates differ by more than this, the
 * machine changed, not the table.
 */
const STEADY_SPREAD = 1.25

/** Null if the rates may be compared. */
export function growthWarning([empty]: readonly GrowthStep[]): string | null {
  if (empty === undefined || isSteady(empty)) return null
  const { min, max } = empty.rowsPerSecond
  return (
    `The empty table alone took between ${whole(min)} and ${whole(max)} rows/s: ` +
    'other work was running, so the ratios of rates mean nothing. ' +
    'Those of CPU time are steadier.'
  )
}

function isSteady({ rowsPerSecond: { min, max } }: GrowthStep): boolean {
  return max <= min * STEADY_SPREAD
}

export function growthGoals(steps: readonly GrowthStep[]): readonly Goal[] {
  const [empty] = steps
  const last = steps.at(-1)
  const ratePercent =
    last === undefined || empty === undefined || !isSteady(empty)
      ? undefined
      : last.rateToEmpty * 100
  const rows = whole(last?.rows ?? 0)
  return [
    atLeast(`insert rate at ${rows} rows / empty`, 80, '%', ratePercent),
    atLeast(
      'the same by CPU of PostgreSQL per row',
      80,
      '%',
      typeof last?.cpuToEmpty === 'number' ? last.cpuToEmpty * 100 : undefined
    )
  ]
}
