/**
 * The command line of the bench.
 *
 * Errors  ArgumentsError naming every mistake at once.
 */
import { ArgumentsError, readFlags, readNumber } from '../../engine/cli/flags.js'
import type { FairnessSizes } from './fairness-report.js'
import { SCENARIO_NAMES, SCENARIOS, type Scenario, type ScenarioName } from './scenarios.js'
import type { SenderSizes } from './sender-sizes.js'

export interface BenchArguments {
  readonly kind: 'run'
  readonly isQuick: boolean
  readonly rounds: number
  readonly scenarios: readonly Scenario[]
  readonly workers: number
  readonly pollers: number
  /** Factor on the events of every scenario. */
  readonly scale: number
  readonly latencySeconds: number
  /** Null: a file in bench-results/, named by the time. */
  readonly jsonFile: string | null
  /** Null: next to the JSON file. */
  readonly plotFile: string | null
}

export interface GrowthArguments {
  readonly kind: 'table-growth'
  readonly rows: number
  readonly jsonFile: string | null
}

/** The same load for different numbers of workers, instead of different subjects. */
export interface ByWorkersArguments {
  readonly kind: 'by-workers'
  readonly counts: readonly number[]
  /** Options of each run; only the number of workers differs. */
  readonly run: BenchArguments
}

/** Quiet clients with a noisy one among them. */
export interface FairnessArguments {
  readonly kind: 'fairness'
  readonly sizes: FairnessSizes
  readonly run: BenchArguments
}

/** Measures the sender instead of the processor. */
export interface SenderArguments {
  readonly kind: 'sender'
  readonly sizes: SenderSizes
  readonly run: BenchArguments
}

/** The rate with payload schemas in force, and without. */
export interface SchemasArguments {
  readonly kind: 'schemas'
  readonly run: BenchArguments
}

/** The most expensive schemas that registration accepts, with their worst payloads. */
export interface SchemaCostArguments {
  readonly kind: 'schema-cost'
  readonly jsonFile: string | null
}

export interface CompareArguments {
  readonly kind: 'compare'
  readonly before: string
  readonly after: string
}

export type BenchCommand =
  | { readonly kind: 'help' }
  | BenchArguments
  | GrowthArguments
  | ByWorkersArguments
  | FairnessArguments
  | SenderArguments
  | SchemaCostArguments
  | SchemasArguments
  | CompareArguments

const OWN_BENCHES = [
  '--by-workers',
  '--table-growth',
  '--fairness',
  '--schemas',
  '--schema-cost',
  '--sender'
]
const DEFAULT_GROWTH_ROWS = 10_000_000
const MAX_WORKERS = 64
const LATENCY_SECONDS = 5
const QUICK_LATENCY_SECONDS = 4
const SENDER_SIZES: SenderSizes = {
  deliveries: 60_000,
  queuedForDead: 10_000,
  backlog: 1_000_000,
  steadySeconds: 10
}
const QUICK_SENDER_SIZES: SenderSizes = {
  deliveries: 10_000,
  queuedForDead: 2_000,
  backlog: 20_000,
  steadySeconds: 3
}
const FAIRNESS_SIZES: FairnessSizes = { rounds: 7, seconds: 8 }
const QUICK_FAIRNESS_SIZES: FairnessSizes = { rounds: 3, seconds: 4 }

export const BENCH_HELP = `Measures the processor against simpler consumers and its own limits, on embedded services.

  npm run bench                            three rounds, under four minutes
  npm run bench -- --quick                 one round of fewer events, under a minute
  npm run bench -- --by-workers 1,2,4      ours with 1, 2 and 4 workers, in one table
  npm run bench -- --table-growth          the insert rate while the table grows, about ten minutes
  npm run bench -- --fairness              what a flood by one client does to the others, about
                                           three minutes
  npm run bench -- --sender                deliveries, a dead endpoint, a backlog of a million, the
                                           cost to ingestion; a few minutes
  npm run bench -- --schemas               the rate with payload schemas in force and without, about
                                           two minutes
  npm run bench -- --schema-cost           the most expensive schemas that registration accepts, with
                                           their worst payloads, a minute
  npm run bench -- compare A.json B.json   every figure that both files have, with its ratio

  --quick            fewer events, one round
  --rounds N         rounds, interleaved; the figures are medians (default 3, with --quick 1)
  --only A,B         only these scenarios: ${SCENARIO_NAMES.join(', ')}
  --workers N        workers of ours (default 1, like the others)
  --pollers N        receives under way at once, in every scenario (default 10)
  --scale P          percent of the events (default 100)
  --rows N           with --table-growth: final number of rows (default ${DEFAULT_GROWTH_ROWS})
  --json FILE        where the figures go (default bench-results/<time>.json)
  --plot FILE        where the plot goes, SVG (default next to the JSON file)

Scenarios
${SCENARIOS.map(({ name, explanation }) => `  ${name.padEnd(15)} ${explanation}`).join('\n')}
`

export function parseBenchArguments(args: readonly string[]): BenchCommand {
  if (args[0] === 'compare') return readCompare(args.slice(1))
  const flags = readFlags(args, {
    quick: 'switch',
    rounds: 'text',
    only: 'text',
    workers: 'text',
    pollers: 'text',
    scale: 'text',
    'by-workers': 'text',
    'table-growth': 'switch',
    fairness: 'switch',
    sender: 'switch',
    schemas: 'switch',
    'schema-cost': 'switch',
    rows: 'text',
    json: 'text',
    plot: 'text',
    help: 'switch'
  })
  const isQuick = flags.isOn('quick')
  const rounds = readNumber(flags, 'rounds', 1, 100) ?? (isQuick ? 1 : 3)
  const workers = readNumber(flags, 'workers', 1, MAX_WORKERS) ?? 1
  const pollers = readNumber(flags, 'pollers', 1, 200) ?? 10
  const scale = (readNumber(flags, 'scale', 1, 10_000, false) ?? 100) / 100
  const scenarios = readScenarios(flags.text('only'), isQuick, flags.problems)
  const rows = readNumber(flags, 'rows', 100_000, 1_000_000_000)
  const counts = readCounts(flags.text('by-workers'), flags.problems)
  const isGrowth = flags.isOn('table-growth')
  const isFairness = flags.isOn('fairness')
  const others = [
    isGrowth,
    counts !== null,
    isFairness,
    flags.isOn('schemas'),
    flags.isOn('schema-cost'),
    flags.isOn('sender')
  ].filter(isAsked => isAsked)
  if (rows !== undefined && !isGrowth) flags.problems.push('--rows goes with --table-growth')
  if (others.length > 1)
    flags.problems.push(`${OWN_BENCHES.join(', ')} are separate benches: choose one`)
  if (flags.problems.length > 0) throw new ArgumentsError(flags.problems)
  if (flags.isOn('help')) return { kind: 'help' }
  const jsonFile = flags.text('json') ?? null
  if (isGrowth) return { kind: 'table-growth', rows: rows ?? DEFAULT_GROWTH_ROWS, jsonFile }
  if (flags.isOn('schema-cost')) return { kind: 'schema-cost', jsonFile }
  const run: BenchArguments = {
    kind: 'run',
    isQuick,
    rounds,
    scenarios,
    workers,
    pollers,
    scale,
    latencySeconds: isQuick ? QUICK_LATENCY_SECONDS : LATENCY_SECONDS,
    jsonFile,
    plotFile: flags.text('plot') ?? null
  }
  if (isFairness)
    return { kind: 'fairness', sizes: isQuick ? QUICK_FAIRNESS_SIZES : FAIRNESS_SIZES, run }
  if (flags.isOn('sender'))
    return { kind: 'sender', sizes: isQuick ? QUICK_SENDER_SIZES : SENDER_SIZES, run }
  if (flags.isOn('schemas')) return { kind: 'schemas', run }
  return counts === null ? run : { kind: 'by-workers', counts, run }
}

/**
 * How many events `scenario` gets. Only whole batches, so that the last one is full too.
 */
export function eventsFor(
  scenario: Scenario,
  { isQuick, scale }: Pick<BenchArguments, 'isQuick' | 'scale'>
): number {
  const events = (isQuick ? scenario.quickEvents : scenario.events) * scale
  return Math.max(100, Math.round(events / 100) * 100)
}

function readScenarios(
  text: string | undefined,
  isQuick: boolean,
  problems: string[]
): readonly Scenario[] {
  if (text === undefined)
    return isQuick ? SCENARIOS.filter(({ isInQuickRun }) => isInQuickRun) : SCENARIOS
  const names = text.split(',').map(name => name.trim())
  for (const name of names) {
    if (!SCENARIO_NAMES.includes(name as ScenarioName))
      problems.push(`--only: ${name} is not a scenario; choose from ${SCENARIO_NAMES.join(', ')}`)
  }
  return SCENARIOS.filter(({ name }) => names.includes(name))
}

function readCounts(text: string | undefined, problems: string[]): readonly number[] | null {
  if (text === undefined) return null
  const counts = text.split(',').map(Number)
  if (
    counts.some(count => !Number.isInteger(count) || count < 1 || count > MAX_WORKERS) ||
    new Set(counts).size < counts.length
  )
    problems.push(
      `--by-workers must be different whole numbers from 1 to ${MAX_WORKERS} ` +
        `separated by commas, not ${JSON.stringify(text)}`
    )
  return counts
}

function readCompare(files: readonly string[]): BenchCommand {
  const [before, after] = files
  if (files.includes('--help')) return { kind: 'help' }
  if (before === undefined || after === undefined || files.length > 2)
    throw new ArgumentsError(['compare takes two JSON files of the bench: compare A.json B.json'])
  return { kind: 'compare', before, after }
}
