/** The figures of a soak as text. */
import { formatFigures } from '../../engine/cli/table.js'
import type { SoakFindings, SoakGoal } from './findings.js'
import type { SoakOutcome } from './run.js'

const MIB = 1_024 * 1_024
const NONE = '–'

export function formatFindings(
  outcome: SoakOutcome,
  findings: SoakFindings,
  goals: readonly SoakGoal[]
): string {
  const { sustainedPerSecond, sentPerSecond, sent, decided, deletedRows } = outcome
  const minutes = findings.p99MsByMinute.map((p99, index) => [
    String(index + 1),
    figure(p99, 1),
    figure(findings.lagMsByMinute[index], 0),
    figure(mib(findings.heapBytesByMinute[index]), 0)
  ])
  const rows = goals.map(({ name, target, measured, isMet }) => [
    name,
    target,
    measured,
    target === '' ? '' : isMet ? 'met' : 'MISSED'
  ])
  const memory = findings.processes.map(
    ({ role, pid, firstRssBytes, lastRssBytes }) =>
      `${role} ${pid}: ${figure(mib(firstRssBytes), 1)} → ${figure(mib(lastRssBytes), 1)} MiB`
  )
  return [
    formatFigures([['minute', 'p99 ms', 'longest stall ms', 'lowest heap MiB'], ...minutes]),
    '',
    `sustained ${Math.round(sustainedPerSecond)} events/s, sent ${sentPerSecond} per second`,
    `the first ${Math.round(findings.warmUpS)} s are warm-up and do not count`,
    `sent: ${sent.stored} new, ${sent.duplicates} duplicates, ${sent.rejected} invalid`,
    `decided: ${decided.stored} stored, ${decided.duplicates} duplicates, ${decided.rejected} rejected`,
    `rows deleted because of their age: ${deletedRows}`,
    `RSS, median of the first third → of the last: ${memory.join(', ')}`,
    '',
    formatFigures([['', 'goal', 'measured', ''], ...rows]),
    ''
  ].join('\n')
}

/** Lost or extra events; redeliveries may add duplicates. */
export function wrongCounts({ sent, decided }: SoakOutcome): readonly string[] {
  const wrong: string[] = []
  if (decided.stored !== sent.stored)
    wrong.push(`${sent.stored} events should be stored, ${decided.stored} were`)
  if (decided.rejected !== sent.rejected)
    wrong.push(`${sent.rejected} events should be rejected, ${decided.rejected} were`)
  if (decided.duplicates < sent.duplicates)
    wrong.push(`${sent.duplicates} duplicates were sent, ${decided.duplicates} recognised`)
  return wrong
}

function mib(bytes: number | null | undefined): number | null {
  return bytes === null || bytes === undefined ? null : bytes / MIB
}

function figure(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined ? NONE : value.toFixed(digits)
}
