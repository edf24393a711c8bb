/** All scenarios round by round, then the table, the JSON file and the plot. */
import { ExpectedError } from '../../engine/lifecycle/service.js'
import type { BenchArguments } from './arguments.js'
import { checkGoals } from './goals.js'
import type { Machine } from './machine.js'
import { BENCH_SCHEMA, jsonFileFor, say, write, writeJson } from './output.js'
import { drawPlot } from './plot.js'
import { repeatabilityOf } from './repeatability.js'
import { goalLines, machineLine, remarks, resultTable, whole } from './report.js'
import { type Round, summarize } from './results.js'
import { type Bench, runScenario } from './run-scenario.js'
import type { ScenarioName } from './scenarios.js'

export interface SuiteOutcome {
  readonly rounds: Round[]
  readonly failures: {
    readonly scenario: ScenarioName
    readonly round: number
    readonly reason: string
  }[]
}

/** Round by round, so that a slow spell of the machine affects all scenarios. */
export async function runAll(bench: Bench): Promise<SuiteOutcome> {
  const { scenarios, rounds: count } = bench.options
  const outcome: SuiteOutcome = { rounds: [], failures: [] }
  for (let round = 1; round <= count; round++) {
    for (const scenario of scenarios) {
      if (isStopped(bench)) return outcome
      const line = `  round ${round} of ${count}  ${scenario.title.padEnd(24)} `
      try {
        const result = await runScenario(bench, scenario, round)
        outcome.rounds.push(result)
        say(`${line}${whole(result.eventsPerSecond).padStart(7)} events/s`)
      } catch (error) {
        if (isStopped(bench)) return outcome
        const reason = error instanceof Error ? error.message : String(error)
        outcome.failures.push({ scenario: scenario.name, round, reason })
        say(`${line}failed: ${reason}`)
      }
    }
  }
  return outcome
}

function isStopped({ signal }: Bench): boolean {
  return signal.aborted
}

export function finishSuite(
  options: BenchArguments,
  machine: Machine,
  { rounds, failures }: SuiteOutcome,
  startedAt: Date
): void {
  const titles = new Map<ScenarioName, string>(
    options.scenarios.map(({ name, title }) => [name, title])
  )
  const summaries = summarize(rounds, titles)
  const goals = checkGoals(summaries)
  say('')
  say(resultTable(summaries))
  say('')
  for (const remark of [...remarks(summaries), ...repeatabilityOf(rounds)]) say(remark)
  say('Goals')
  say(goalLines(goals))
  say('')

  const { isQuick, workers, pollers, scale } = options
  const jsonFile = jsonFileFor(options.jsonFile, startedAt)
  const plotFile = options.plotFile ?? `${jsonFile.replace(/\.json$/, '')}.svg`
  writeJson(jsonFile, {
    schema: BENCH_SCHEMA,
    startedAt: startedAt.toISOString(),
    machine,
    options: { isQuick, rounds: options.rounds, workers, pollers, scale },
    scenarios: summaries,
    rounds,
    failures,
    goals
  })
  write(plotFile, drawPlot(summaries, machineLine(machine)))
  say(`Plot:    ${plotFile}`)
  if (failures.length > 0)
    throw new ExpectedError(`${failures.length} runs of a scenario failed; see above.`)
}
