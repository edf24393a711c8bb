/**
 * Would another run give the same ratios? Compares the ratios of the rounds, and names
 * what disturbed them.
 *
 * Shapes  rounds in, one or two sentences out; none for a single round or scenarios that
 *         have no ratio.
 */
import type { Round } from './results.js'
import type { ScenarioName } from './scenarios.js'
import { type Spread, spreadOf } from './statistics.js'

/** How far a round's ratio may be from the median of all rounds. */
export const TOLERANCE = 0.1
/**
 * Share of all processors. More than this is other work, not the system's housekeeping.
 */
const QUIET_SHARE = 0.05

const RATIOS: readonly (readonly [name: string, of: ScenarioName, to: ScenarioName])[] = [
  ['ours / naive', 'ours', 'naive'],
  ['ours / (receive + delete)', 'ours', 'receive-delete'],
  ['ours / INSERT', 'ours', 'insert'],
  ['ours, mixed / ours', 'ours-mixed', 'ours']
]

interface Swing {
  readonly name: string
  readonly scenarios: readonly ScenarioName[]
  /** The largest distance from the median, as a share of it. */
  readonly share: number
}

export function repeatabilityOf(rounds: readonly Round[]): readonly string[] {
  const swings = RATIOS.flatMap(([name, of, to]): readonly Swing[] => {
    const values = ratiosByRound(rounds, of, to)
    const spread = values.length < 2 ? null : spreadOf(values)
    return spread === null ? [] : [{ name, scenarios: [of, to], share: swingOf(spread) }]
  })
  if (swings.length === 0) return []
  const loose = swings.filter(({ share }) => share > TOLERANCE)
  const list = (some: readonly Swing[]): string =>
    some.map(({ name, share }) => `${name} ±${percent(share)}`).join(', ')
  if (loose.length === 0)
    return [
      `Repeatable: each round's ratios are within ±${percent(TOLERANCE)} of the median (${list(swings)}).`
    ]
  return [
    `Not repeatable within ±${percent(TOLERANCE)}: ${list(loose)}.`,
    `  Why: ${reason(rounds, loose)}`
  ]
}

function reason(rounds: readonly Round[], loose: readonly Swing[]): string {
  const concerned = rounds.filter(({ scenario }) =>
    loose.some(({ scenarios }) => scenarios.includes(scenario))
  )
  const busiest = concerned.toSorted((a, b) => (b.othersShare ?? 0) - (a.othersShare ?? 0))[0]
  if (typeof busiest?.othersShare === 'number' && busiest.othersShare > QUIET_SHARE) {
    const { othersShare, scenario, round } = busiest
    const most = `${percent(othersShare)} of the processors (${scenario}, round ${round})`
    return `other programs took up to ${most}. Run it again on a quiet machine.`
  }
  const rates = [...new Set(concerned.map(({ scenario }) => scenario))].flatMap(scenario => {
    const spread = spreadOf(
      concerned.filter(round => round.scenario === scenario).map(round => round.eventsPerSecond)
    )
    return spread === null ? [] : [{ scenario, spread }]
  })
  const widest = rates.toSorted((a, b) => swingOf(b.spread) - swingOf(a.spread))[0]
  if (widest === undefined) return 'unknown.'
  const { min, max } = widest.spread
  const known =
    busiest?.othersShare === null
      ? 'what other programs did is not known on this system'
      : 'no other program took part'
  const range = `between ${whole(min)} and ${whole(max)} events/s`
  const why = `${known}: the cause is the disk or the host`
  return `${widest.scenario} by itself ran ${range}, and ${why}. More --rounds narrow it.`
}

function ratiosByRound(
  rounds: readonly Round[],
  of: ScenarioName,
  to: ScenarioName
): readonly number[] {
  const rateOf = (scenario: ScenarioName, round: number): number | undefined =>
    rounds.find(one => one.scenario === scenario && one.round === round)?.eventsPerSecond
  return [...new Set(rounds.map(({ round }) => round))].flatMap(round => {
    const [rate, other] = [rateOf(of, round), rateOf(to, round)]
    return rate === undefined || other === undefined ? [] : [rate / other]
  })
}

function swingOf({ median, min, max }: Spread): number {
  return Math.max(max - median, median - min) / median
}

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`
const whole = (value: number): string => Math.round(value).toLocaleString('en-US')
