/**
 * `npm run bench`: all subjects in one run, side by side, on services of their own; a table, a JSON file and a plot.
 *
 * Errors  a scenario that fails (an event lost, a process that ended) ends the bench with exit code 1; figures that miss a goal do not.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { ConfigError, type Environment, readValues } from '../config/environment.js'
import { withStartLock } from '../embedded/start-lock.js'
import { ExpectedError, type Service } from '../lifecycle/service.js'
import { BENCH_HELP, type BenchArguments, parseBenchArguments } from './arguments.js'
import { checkGoals } from './goals.js'
import { currentLoad, describeMachine, type Machine } from './machine.js'
import { drawPlot } from './plot.js'
import { goalLines, machineLine, noiseWarning, remarks, resultTable, whole } from './report.js'
import { type Round, summarize } from './results.js'
import { type Bench, runScenario } from './run-scenario.js'
import type { Scenario, ScenarioName } from './scenarios.js'
import { startServices } from './services.js'

/** Changes when a field of the JSON file changes its meaning or goes. */
const SCHEMA = 'event-process-bench/1'
const SAY_WAITING_AFTER_MS = 1_000

export function createBench(env: Environment, args: readonly string[]): Service {
  const command = parseBenchArguments(args)
  const { values, problems } = readValues(env)
  if (problems.length > 0) throw new ConfigError(problems)
  const directory = resolve(values.DATA_DIR, 'bench')
  return {
    async run(signal) {
      if (command.kind === 'help') process.stdout.write(BENCH_HELP)
      else await runAlone(directory, () => run(command, env, directory, signal))
    }
  }
}

/** Two benches at once would measure each other. */
async function runAlone(directory: string, work: () => Promise<void>): Promise<void> {
  mkdirSync(directory, { recursive: true })
  const timer = setTimeout(() => say(`Waiting for another bench to end (${directory}) …`), SAY_WAITING_AFTER_MS)
  await withStartLock(directory, () => {
    clearTimeout(timer)
    return work()
  })
}

async function run(options: BenchArguments, env: Environment, directory: string, signal: AbortSignal): Promise<void> {
  const startedAt = new Date()
  const loadBefore = currentLoad()
  const services = await startServices(directory, say)
  try {
    const machine = await describeMachine(services.db, directory, loadBefore)
    say(machineLine(machine))
    const warning = noiseWarning(machine)
    if (warning !== null) say(warning)
    const rounds = await runAll({ services, options, directory, env, signal })
    if (rounds === null) return say('Stopped: nothing was written.')
    finish(options, machine, rounds, startedAt)
  } finally {
    await services.stop()
  }
}

/** Round by round, so that a slow spell of the machine falls on all scenarios; null when it was told to stop. */
async function runAll(bench: Bench): Promise<readonly Round[] | null> {
  const { scenarios, rounds: count } = bench.options
  const rounds: Round[] = []
  for (let round = 1; round <= count; round++) {
    for (const scenario of scenarios) {
      if (bench.signal.aborted) return null
      const result = await attempt(bench, scenario, round)
      if (result === null) return null
      rounds.push(result)
      say(`  round ${round} of ${count}  ${scenario.title.padEnd(24)} ${whole(result.eventsPerSecond).padStart(7)} events/s`)
    }
  }
  return rounds
}

async function attempt(bench: Bench, scenario: Scenario, round: number): Promise<Round | null> {
  try {
    return await runScenario(bench, scenario, round)
  } catch (error) {
    if (bench.signal.aborted) return null
    const reason = error instanceof Error ? error.message : String(error)
    throw new ExpectedError(`Scenario ${scenario.name} failed: ${reason}`, { cause: error })
  }
}

function finish(options: BenchArguments, machine: Machine, rounds: readonly Round[], startedAt: Date): void {
  const titles = new Map<ScenarioName, string>(options.scenarios.map(({ name, title }) => [name, title]))
  const summaries = summarize(rounds, titles)
  const goals = checkGoals(summaries)
  say('')
  say(resultTable(summaries))
  say('')
  for (const remark of remarks(summaries)) say(remark)
  say('Goals')
  say(goalLines(goals))
  say('')

  const { isQuick, workers, pollers, scale } = options
  const jsonFile = options.jsonFile ?? join('bench-results', `${startedAt.toISOString().slice(0, 19).replaceAll(':', '-')}.json`)
  const plotFile = options.plotFile ?? `${jsonFile.replace(/\.json$/, '')}.svg`
  const document = {
    schema: SCHEMA,
    startedAt: startedAt.toISOString(),
    machine,
    options: { isQuick, rounds: options.rounds, workers, pollers, scale },
    scenarios: summaries,
    rounds,
    goals
  }
  write(jsonFile, `${JSON.stringify(document, null, 2)}\n`)
  write(plotFile, drawPlot(summaries, machineLine(machine)))
  say(`Figures: ${jsonFile}\nPlot:    ${plotFile}`)
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
