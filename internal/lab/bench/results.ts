/**
 * The figures of a bench, as its JSON file has them.
 *
 * Shapes  rounds in, one summary per scenario out; figures that were not taken are null.
 * Units   in the names. CPU is per event of the measured part of the drain, for each
 *         party with all its processes.
 */
import type { Party } from './process-usage.js'
import type { ScenarioName } from './scenarios.js'
import { type Spread, spreadOf } from './statistics.js'

/**
 * Sent → committed, while events came at a steady rate; `sentPerSecond` is the rate that
 * the producers reached.
 */
export interface Latency {
  readonly samples: number
  readonly sentPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** One scenario in one round. */
export interface Round {
  readonly scenario: ScenarioName
  readonly round: number
  /** In the queue at the start; the figures come from `measuredEvents` of them. */
  readonly events: number
  readonly measuredEvents: number
  readonly seconds: number
  readonly eventsPerSecond: number
  readonly cpuUsPerEvent: Readonly<Record<Party, number>> | null
  /** Share of all processors' time that other programs used. */
  readonly othersShare: number | null
  readonly latency: Latency | null
  readonly memory: { readonly totalBytes: number; readonly largestBytes: number } | null
  readonly commits: { readonly meanRows: number; readonly rowsPerCommitSecond: number } | null
  /** The longest stall of an event loop at full load. */
  readonly eventLoopLagMs: number | null
  /** Latency once more, near the full rate. */
  readonly busyLatency: Latency | null
}

/** One scenario over all rounds. */
export interface Summary {
  readonly scenario: ScenarioName
  readonly title: string
  readonly events: number
  readonly eventsPerSecond: Spread
  readonly cpuUsPerEvent: Readonly<Record<Party, Spread>> | null
  readonly p50Ms: Spread | null
  readonly p99Ms: Spread | null
  readonly totalBytes: Spread | null
  readonly largestBytes: Spread | null
  readonly meanRows: Spread | null
  readonly rowsPerCommitSecond: Spread | null
  readonly eventLoopLagMs: Spread | null
  readonly busyLatency: {
    readonly sentPerSecond: Spread
    readonly p50Ms: Spread
    readonly p99Ms: Spread
  } | null
  /** Comparisons with the medians of other scenarios. */
  readonly ratios: {
    readonly toNaive: number | null
    readonly toReceiveDelete: number | null
    readonly toInsert: number | null
    /** Against `ours`, whose events are all new and valid. */
    readonly toOurs: number | null
    /**
     * naive's CPU time per event divided by this one's (subject, PostgreSQL and queue
     * together): steadier than rates on a shared machine.
     */
    readonly cpuSavingToNaive: number | null
  }
}

/** CPU time per event of all parties but the bench. */
export function totalUs({ cpuUsPerEvent: cpu }: Pick<Summary, 'cpuUsPerEvent'>): number | null {
  return cpu === null ? null : cpu.subject.median + cpu.postgres.median + cpu.queue.median
}

export function summarize(
  rounds: readonly Round[],
  titles: ReadonlyMap<ScenarioName, string>
): readonly Summary[] {
  const names = [...new Set(rounds.map(({ scenario }) => scenario))]
  const roundsOf = (name: ScenarioName): readonly Round[] =>
    rounds.filter(({ scenario }) => scenario === name)
  const rates = new Map(
    names.map(name => [name, spread(roundsOf(name), round => round.eventsPerSecond)?.median])
  )
  const naiveUs = totalUs({ cpuUsPerEvent: summarizeCpu(roundsOf('naive')) })
  return names.flatMap(scenario => {
    const own = roundsOf(scenario)
    const eventsPerSecond = spread(own, round => round.eventsPerSecond)
    if (eventsPerSecond === null) return []
    const ratio = (other: ScenarioName): number | null => {
      const rate = rates.get(other)
      // Rates of sending and of receiving cannot be compared.
      if (scenario === 'producers') return null
      return rate === undefined ? null : eventsPerSecond.median / rate
    }
    const cpuUsPerEvent = summarizeCpu(own)
    const ownUs = totalUs({ cpuUsPerEvent })
    return {
      scenario,
      title: titles.get(scenario) ?? scenario,
      events: own[0]?.events ?? 0,
      eventsPerSecond,
      cpuUsPerEvent,
      p50Ms: spread(own, round => round.latency?.p50Ms),
      p99Ms: spread(own, round => round.latency?.p99Ms),
      totalBytes: spread(own, round => round.memory?.totalBytes),
      largestBytes: spread(own, round => round.memory?.largestBytes),
      meanRows: spread(own, round => round.commits?.meanRows),
      rowsPerCommitSecond: spread(own, round => round.commits?.rowsPerCommitSecond),
      eventLoopLagMs: spread(own, round => round.eventLoopLagMs),
      busyLatency: summarizeBusy(own),
      ratios: {
        toNaive: ratio('naive'),
        toReceiveDelete: ratio('receive-delete'),
        toInsert: ratio('insert'),
        toOurs: ratio('ours'),
        cpuSavingToNaive: naiveUs === null || ownUs === null ? null : naiveUs / ownUs
      }
    }
  })
}

function summarizeBusy(rounds: readonly Round[]): Summary['busyLatency'] {
  const sentPerSecond = spread(rounds, round => round.busyLatency?.sentPerSecond)
  const p50Ms = spread(rounds, round => round.busyLatency?.p50Ms)
  const p99Ms = spread(rounds, round => round.busyLatency?.p99Ms)
  return sentPerSecond === null || p50Ms === null || p99Ms === null
    ? null
    : { sentPerSecond, p50Ms, p99Ms }
}

function summarizeCpu(rounds: readonly Round[]): Readonly<Record<Party, Spread>> | null {
  const subject = spread(rounds, round => round.cpuUsPerEvent?.subject)
  const postgres = spread(rounds, round => round.cpuUsPerEvent?.postgres)
  const queue = spread(rounds, round => round.cpuUsPerEvent?.queue)
  const bench = spread(rounds, round => round.cpuUsPerEvent?.bench)
  return subject === null || postgres === null || queue === null || bench === null
    ? null
    : { subject, postgres, queue, bench }
}

function spread(
  rounds: readonly Round[],
  figure: (round: Round) => number | null | undefined
): Spread | null {
  return spreadOf(rounds.flatMap(round => figure(round) ?? []))
}
