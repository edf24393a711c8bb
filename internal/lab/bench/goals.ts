/** The goals, with what was measured. */

import type { Summary } from './results.js'
import type { ScenarioName } from './scenarios.js'

export interface Goal {
  readonly name: string
  readonly target: string
  /** Null if a scenario that it needs was not run. */
  readonly measured: number | null
  readonly isMet: boolean | null
}

const MIB = 1024 * 1024

export function checkGoals(summaries: readonly Summary[]): readonly Goal[] {
  const find = (name: ScenarioName): Summary | undefined =>
    summaries.find(({ scenario }) => scenario === name)
  const ours = find('ours')
  const insert = find('insert')
  const toNaive = ours?.ratios.toNaive
  const postgresUs = ours?.cpuUsPerEvent?.postgres.median
  const postgresAloneUs = insert?.cpuUsPerEvent?.postgres.median
  const bytes = ours?.largestBytes?.median
  return [
    atLeast('ours / naive, first goal', 4, '×', toNaive),
    atLeast('ours / naive', 9, '×', toNaive),
    atLeast('ours / (receive + delete)', 60, '%', percent(ours?.ratios.toReceiveDelete)),
    atLeast(
      'INSERT: CPU of PostgreSQL per event, alone / within ours',
      85,
      '%',
      postgresUs === undefined || postgresAloneUs === undefined
        ? undefined
        : percent(postgresAloneUs / postgresUs)
    ),
    atMost('CPU of the processor per event', 35, 'µs', ours?.cpuUsPerEvent?.subject.median),
    atMost('sent → committed, p50', 10, 'ms', ours?.p50Ms?.median),
    atMost('sent → committed, p99', 50, 'ms', ours?.p99Ms?.median),
    atMost('longest stall of an event loop at full load', 50, 'ms', ours?.eventLoopLagMs?.median),
    atLeast('ours, mixed / ours', 85, '%', percent(find('ours-mixed')?.ratios.toOurs)),
    atLeast('producers alone', 30_000, 'events/s', find('producers')?.eventsPerSecond.median),
    atMost('memory of a worker', 200, 'MiB', bytes === undefined ? undefined : bytes / MIB)
  ]
}

function percent(ratio: number | null | undefined): number | undefined {
  return ratio === null || ratio === undefined ? undefined : ratio * 100
}

export function atLeast(
  name: string,
  target: number,
  unit: string,
  measured: number | null | undefined
): Goal {
  return goal(name, `≥ ${target} ${unit}`, measured, value => value >= target)
}

export function atMost(
  name: string,
  target: number,
  unit: string,
  measured: number | null | undefined
): Goal {
  return goal(name, `≤ ${target} ${unit}`, measured, value => value <= target)
}

function goal(
  name: string,
  target: string,
  measured: number | null | undefined,
  isMet: (value: number) => boolean
): Goal {
  const value = measured ?? null
  return { name, target, measured: value, isMet: value === null ? null : isMet(value) }
}
