/**
 * The command line of the bench.
 *
 * Shapes  arguments in, a BenchCommand out.
 * Errors  ArgumentsError naming everything that is wrong at once.
 */
import { ArgumentsError, readFlags, readNumber } from '../producer/flags.js'
import { SCENARIO_NAMES, SCENARIOS, type Scenario, type ScenarioName } from './scenarios.js'

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
  /** Null: a name with the time in bench-results/. */
  readonly jsonFile: string | null
  /** Null: beside the JSON file. */
  readonly plotFile: string | null
}

export type BenchCommand = { readonly kind: 'help' } | BenchArguments

const LATENCY_SECONDS = 5
const QUICK_LATENCY_SECONDS = 4

export const BENCH_HELP = `Measures the processor side by side with simpler ones and with its own limits, on embedded services.

  npm run bench                  three rounds, under four minutes
  npm run bench -- --quick       one round of fewer events, under a minute

  --quick            fewer events, one round
  --rounds N         rounds, interleaved; the figures are medians (default 3, with --quick 1)
  --only A,B         only these scenarios: ${SCENARIO_NAMES.join(', ')}
  --workers N        workers of ours (default 1, like the others)
  --pollers N        receives under way at once, of every scenario (default 10)
  --scale P          percent of the events (default 100)
  --json FILE        where the figures go (default bench-results/<time>.json)
  --plot FILE        where the plot goes, SVG (default beside the JSON file)

Scenarios
${SCENARIOS.map(({ name, explanation }) => `  ${name.padEnd(16)} ${explanation}`).join('\n')}
`

export function parseBenchArguments(args: readonly string[]): BenchCommand {
  const flags = readFlags(args, {
    quick: 'switch',
    rounds: 'text',
    only: 'text',
    workers: 'text',
    pollers: 'text',
    scale: 'text',
    json: 'text',
    plot: 'text',
    help: 'switch'
  })
  const isQuick = flags.isOn('quick')
  const rounds = readNumber(flags, 'rounds', 1, 100) ?? (isQuick ? 1 : 3)
  const workers = readNumber(flags, 'workers', 1, 64) ?? 1
  const pollers = readNumber(flags, 'pollers', 1, 200) ?? 10
  const scale = (readNumber(flags, 'scale', 1, 10_000, false) ?? 100) / 100
  const scenarios = readScenarios(flags.text('only'), flags.problems)
  if (flags.problems.length > 0) throw new ArgumentsError(flags.problems)
  if (flags.isOn('help')) return { kind: 'help' }
  return {
    kind: 'run',
    isQuick,
    rounds,
    scenarios,
    workers,
    pollers,
    scale,
    latencySeconds: isQuick ? QUICK_LATENCY_SECONDS : LATENCY_SECONDS,
    jsonFile: flags.text('json') ?? null,
    plotFile: flags.text('plot') ?? null
  }
}

/** How many events `scenario` gets: whole batches, so that the last one is as good as the others. */
export function eventsFor(scenario: Scenario, { isQuick, scale }: Pick<BenchArguments, 'isQuick' | 'scale'>): number {
  const events = (isQuick ? scenario.quickEvents : scenario.events) * scale
  return Math.max(100, Math.round(events / 100) * 100)
}

function readScenarios(text: string | undefined, problems: string[]): readonly Scenario[] {
  if (text === undefined) return SCENARIOS
  const names = text.split(',').map(name => name.trim())
  for (const name of names) {
    if (!SCENARIO_NAMES.includes(name as ScenarioName))
      problems.push(`--only: ${name} is no scenario; there are ${SCENARIO_NAMES.join(', ')}`)
  }
  return SCENARIOS.filter(({ name }) => names.includes(name))
}
