/**
 * `npm run bench`: all subjects in one run, side by side, on services of their own; a table, a JSON file and a plot.
 *
 * Errors  a scenario that fails (an event lost, a process that ended) is named, the others go on, and the exit code is 1; figures that
 *         miss a goal are figures.
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
import type { ScenarioName } from './scenarios.js'
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
      // A reader that has gone (`| head`) must not leave the services running.
      process.stdout.on('error', () => undefined)
      if (command.kind === 'help') process.stdout.write(BENCH_HELP)
      else await runAlone(directory, () => run(command, env, directory, signal))
    }
  }
}

/** Two benches at once would measure each other. */
async function runAlone(directory: string, work: () => Promise<void>): Promise<void> {
  mkdirSync(directory, { recursive: true })
  const timer = setTimeout(() => say(`Waiting for another bench to end (${directory}) …`), SAY_WAITING_AFTER_MS)
  await withStartLock(directory, async () => {
    clearTimeout(timer)
    await work()
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
    const outcome = await runAll({ services, options, directory, env, signal, aborted: rejectOnAbort(signal) })
    if (signal.aborted) say('Stopped: nothing was written.')
    else finish(options, machine, outcome, startedAt)
  } finally {
    await services.stop()
  }
}

interface Outcome {
  readonly rounds: Round[]
  readonly failures: { readonly scenario: ScenarioName; readonly round: number; readonly reason: string }[]
}

/** Round by round, so that a slow spell of the machine falls on all scenarios. */
async function runAll(bench: Bench): Promise<Outcome> {
  const { scenarios, rounds: count } = bench.options
  const outcome: Outcome = { rounds: [], failures: [] }
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

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true })
  })
  // Between two scenarios nobody waits for it.
  aborted.catch(() => undefined)
  return aborted
}

function finish(options: BenchArguments, machine: Machine, { rounds, failures }: Outcome, startedAt: Date): void {
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
    failures,
    goals
  }
  write(jsonFile, `${JSON.stringify(document, null, 2)}\n`)
  write(plotFile, drawPlot(summaries, machineLine(machine)))
  say(`Figures: ${jsonFile}\nPlot:    ${plotFile}`)
  if (failures.length > 0) throw new ExpectedError(`${failures.length} runs of a scenario failed; see above.`)
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
