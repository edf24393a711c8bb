/**
 * What a chaos run found: figures, goals and verdict. ChaosResult is also the JSON
 * document. A missed goal is a violation like a lost event: both mean exit code 1.
 *
 * Units   milliseconds; seconds on the terminal.
 */
import { formatFigures } from '../../engine/cli/table.js'
import { DELIVERED_LIMIT_MS } from './delivery-run.js'
import { FAULT_KINDS, FAULTS, type FaultKind } from './faults.js'
import type { Plan } from './plan.js'
import type { Replacement } from './program-log.js'
import type { Recovery } from './recovery.js'
import { DRAIN_LIMIT_MS, type RunOutcome } from './run.js'
import type { Traffic } from './systems.js'

/** Changes when a field of the JSON file is removed or changes its meaning. */
export const CHAOS_SCHEMA = 'event-process-chaos/2'

export interface ChaosResult extends RunOutcome {
  readonly schema: typeof CHAOS_SCHEMA
  readonly startedAt: string
  readonly seconds: number
  readonly workers: number
  readonly plan: Plan
  readonly traffic: Traffic
  readonly deletesChecked: number
  /** Further facts that the run counted. */
  readonly noted: Readonly<Record<string, number>>
  readonly replacements: readonly Replacement[]
  /** For each start of the primary: the time until its first worker receives. */
  readonly startMs: readonly number[]
  readonly violations: readonly string[]
}

export interface RecoveryGoal {
  readonly name: string
  readonly limitMs: number
  /** The longest time; null where nothing was timed. */
  readonly measuredMs: number | null
  readonly times: number
  readonly isMet: boolean
}

/**
 * A first restart comes within a second. Restarts of a worker that keeps dying wait
 * longer, by design.
 */
const FIRST_RESTART_MS = 1_000
const COMMIT_LIMIT_MS = 5_000
/**
 * Neither end notices a half-open connection: the processor's deadline must pass, and
 * then the server's for the open transaction.
 */
const HALF_OPEN_LIMIT_MS = 15_000
const RECEIVE_LIMIT_MS = 30_000
const RESTART_LIMIT_MS = 2_000

export function goalsOf({
  commits,
  receives,
  replacements,
  drainMs,
  delivery
}: ChaosResult): readonly RecoveryGoal[] {
  const isHalfOpen = ({ kind }: Recovery): boolean => kind === 'connection-blackhole'
  const took = (recoveries: readonly Recovery[]): number[] => recoveries.map(({ tookMs }) => tookMs)
  const first = replacements.filter(({ restartInMs }) => restartInMs <= FIRST_RESTART_MS)
  return [
    goal('backlog empty after the last fault', DRAIN_LIMIT_MS, drainMs === null ? [] : [drainMs]),
    goal(
      'no delivery pending after the last fault',
      DELIVERED_LIMIT_MS,
      delivery.deliveredMs === null ? [] : [delivery.deliveredMs]
    ),
    goal(
      'database back → first commit',
      COMMIT_LIMIT_MS,
      took(commits.filter(one => !isHalfOpen(one)))
    ),
    goal(
      'network back, connections half-open → first commit',
      HALF_OPEN_LIMIT_MS,
      took(commits.filter(isHalfOpen))
    ),
    goal('queue back → first receive', RECEIVE_LIMIT_MS, took(receives)),
    goal(
      'worker killed → next one started',
      RESTART_LIMIT_MS,
      first.map(({ diedAtMs, startedAtMs }) => startedAtMs - diedAtMs)
    )
  ]
}

/** Lists everything that is wrong. */
export function judgeRun(result: ChaosResult): readonly string[] {
  const { report, violations, delivery } = result
  const { total, metrics } = report
  const counts: readonly (readonly [string, number])[] = [
    ['lost', report.lost],
    ['duplicate rows', total.duplicateRows],
    ['altered', total.altered],
    ['stored and rejected', total.both],
    ['wrongly decided', total.wrong],
    ['dead-lettered', report.depths.deadLetters],
    ['still queued', report.depths.queue],
    ['rows that nobody sent', report.unlistedMessages + report.unlistedRejections]
  ]
  const faults = counts.filter(([, count]) => count > 0).map(([what, count]) => `${what}: ${count}`)
  for (const [name, side] of Object.entries(metrics ?? {})) {
    if (!side.isEqual)
      faults.push(`${name}: the counters say ${side.metric}, there are ${side.rows} rows`)
  }
  for (const [name, count] of Object.entries(delivery.report.faults))
    if (count > 0) faults.push(`deliveries ${name}: ${count}`)
  const missed = goalsOf(result).filter(({ isMet }) => !isMet)
  return [
    ...violations,
    ...faults,
    ...delivery.report.examples,
    ...missed.map(({ name, measuredMs }) => `${name}: ${seconds(measuredMs)}`)
  ]
}

export function formatChaosResult(result: ChaosResult): string {
  const { report, traffic, kills, noted, delivery } = result
  const { total, metrics } = report
  const whole = (value: number): string => value.toLocaleString('en-US')
  const rows: readonly (readonly string[])[] = [
    ['what', 'count'],
    ['kill -9 of a worker', whole(kills.worker)],
    ['kill -9 of the primary', whole(kills.primary)],
    ['kill -9 of a worker of the sender', whole(delivery.kills.worker)],
    ['kill -9 of the sender’s primary', whole(delivery.kills.primary)],
    ...FAULT_KINDS.flatMap(kind => faultRow(result, kind)),
    ...Object.entries(noted).map(([what, count]) => [what, whole(count)]),
    ['events sent', whole(total.sent)],
    ['  stored', whole(total.stored)],
    ['  duplicates', whole(total.duplicates)],
    ['  rejected', whole(total.rejected)],
    ['  dead-lettered', whole(report.depths.deadLetters)],
    ['  lost', whole(report.lost)],
    ['duplicate rows', whole(total.duplicateRows)],
    ['received', whole(traffic.received)],
    ['  redelivered', whole(traffic.redelivered)],
    ['  most receives of one message', whole(traffic.mostReceives)],
    ['deletes that found their row visible', whole(result.deletesChecked)],
    ['looks at /metrics', whole(result.looks)],
    [
      'stored: /metrics = rows',
      metrics === null ? '–' : `${whole(metrics.stored.metric)} = ${whole(metrics.stored.rows)}`
    ],
    [
      'rejected: /metrics = rows',
      metrics === null ? '–' : `${whole(metrics.rejected.metric)} = ${whole(metrics.rejected.rows)}`
    ],
    ['deliveries owed', whole(delivery.report.owed)],
    ['  delivered, with a valid signature', whole(delivery.report.delivered)],
    ['  repeated, under the same webhook-id', whole(delivery.report.repeated)],
    ['  attempts recorded', whole(delivery.report.attempts)]
  ]
  const goals = goalsOf(result).map(({ name, limitMs, measuredMs, times, isMet }) => [
    name,
    `≤ ${limitMs / 1_000} s`,
    seconds(measuredMs),
    String(times),
    isMet ? 'met' : 'MISSED'
  ])
  return [
    formatFigures(rows),
    '',
    formatFigures([['time', 'goal', 'longest', 'times', ''], ...goals]),
    '',
    `worker killed → next one receives ${longest(received(result))}, ` +
      `killed again and again → next one started ${longest(looped(result))}, ` +
      `primary started → a worker receives ${longest(result.startMs)}`,
    ''
  ].join('\n')
}

function faultRow(
  { faults, commits, receives }: ChaosResult,
  kind: FaultKind
): readonly (readonly string[])[] {
  const count = faults[kind]
  if (count === undefined) return []
  const times = [...commits, ...receives]
    .filter(one => one.kind === kind)
    .map(({ tookMs }) => tookMs)
  const back = FAULTS[kind].back
  return [
    [
      kind,
      back === null || times.length === 0
        ? String(count)
        : `${count}, ${back} after ${longest(times)}`
    ]
  ]
}

function received({ replacements }: ChaosResult): readonly number[] {
  return replacements.flatMap(({ diedAtMs, restartInMs, readyAtMs }) =>
    readyAtMs === null || restartInMs > FIRST_RESTART_MS ? [] : [readyAtMs - diedAtMs]
  )
}

function looped({ replacements }: ChaosResult): readonly number[] {
  return replacements
    .filter(({ restartInMs }) => restartInMs > FIRST_RESTART_MS)
    .map(({ diedAtMs, startedAtMs }) => startedAtMs - diedAtMs)
}

function goal(name: string, limitMs: number, times: readonly number[]): RecoveryGoal {
  const measuredMs = times.length === 0 ? null : Math.max(...times)
  return {
    name,
    limitMs,
    measuredMs,
    times: times.length,
    isMet: measuredMs === null || measuredMs <= limitMs
  }
}

function longest(times: readonly number[]): string {
  return times.length === 0 ? '–' : `≤ ${seconds(Math.max(...times))}`
}

function seconds(ms: number | null): string {
  return ms === null ? '–' : `${(ms / 1_000).toFixed(1)} s`
}
