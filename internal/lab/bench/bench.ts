/**
 * `npm run bench`: measures all subjects in one run, on its own services, and writes a
 * table, a JSON file and a plot. Other benches: one subject with several numbers of
 * workers, the store while its table grows, two files side by side.
 *
 * Errors  a scenario that fails (an event lost, a process that ended) is named, the
 *         others still run, and the exit code is 1. A missed goal is a figure, not an
 *         error.
 */
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Environment, readRightValues } from '../../engine/config/environment.js'
import { EMBEDDED_SETTINGS } from '../../engine/embedded/settings.js'
import { withStartLock } from '../../engine/embedded/start-lock.js'
import { onAbort } from '../../engine/lifecycle/interrupt.js'
import type { Service } from '../../engine/lifecycle/service.js'
import {
  BENCH_HELP,
  type BenchArguments,
  type ByWorkersArguments,
  type FairnessArguments,
  type GrowthArguments,
  parseBenchArguments,
  type SchemaCostArguments,
  type SchemasArguments,
  type SenderArguments
} from './arguments.js'
import { runByWorkers } from './by-workers.js'
import { compareFiles } from './compare.js'
import { measureFairness } from './fairness.js'
import { fairnessGoals, fairnessTable, summarizeFairness } from './fairness-report.js'
import { growthGoals, growthTable, growthWarning } from './growth-report.js'
import { currentLoad, describeMachine, type Machine } from './machine.js'
import { BENCH_SCHEMA, jsonFileFor, say, writeJson } from './output.js'
import { goalLines, machineLine, noiseWarning } from './report.js'
import type { Bench } from './run-scenario.js'
import { costGoals, costTable, measureCosts } from './schema-cost.js'
import { runSchemas } from './schemas.js'
import { measureSender } from './sender.js'
import { senderGoals, senderTables } from './sender-report.js'
import { type BenchServices, startServices } from './services.js'
import { finishSuite, runAll } from './suite.js'
import { measureGrowth, summarizeGrowth } from './table-growth.js'

const SAY_WAITING_AFTER_MS = 1_000

export function createBench(env: Environment, args: readonly string[]): Service {
  const command = parseBenchArguments(args)
  const { DATA_DIR } = readRightValues(EMBEDDED_SETTINGS.settings, env)
  const directory = resolve(DATA_DIR, 'bench')
  return {
    async run(signal) {
      // When the reader goes away (`| head`), the services must still be stopped.
      process.stdout.on('error', () => undefined)
      if (command.kind === 'help') process.stdout.write(BENCH_HELP)
      else if (command.kind === 'compare') say(compareFiles(command.before, command.after))
      else if (command.kind === 'schema-cost')
        await runAlone(directory, () => runSchemaCost(command, signal))
      else await runAlone(directory, () => measure(command, env, directory, signal))
    }
  }
}

/** Two benches at once would measure each other. */
async function runAlone(directory: string, work: () => Promise<void>): Promise<void> {
  mkdirSync(directory, { recursive: true })
  const timer = setTimeout(
    () => say(`Waiting for another bench to end (${directory}) …`),
    SAY_WAITING_AFTER_MS
  )
  await withStartLock(directory, async () => {
    clearTimeout(timer)
    await work()
  })
}

type Measurement =
  | BenchArguments
  | GrowthArguments
  | ByWorkersArguments
  | FairnessArguments
  | SchemasArguments
  | SenderArguments

async function measure(
  command: Measurement,
  env: Environment,
  directory: string,
  signal: AbortSignal
): Promise<void> {
  const startedAt = new Date()
  const loadBefore = currentLoad()
  const services = await startServices(directory, say)
  try {
    const machine = await describeMachine(services.db, directory, loadBefore)
    say(machineLine(machine))
    const warning = noiseWarning(machine)
    if (warning !== null) say(warning)
    const aborted = rejectOnAbort(signal)
    switch (command.kind) {
      case 'table-growth':
        await runGrowth(command, { services, directory, signal, aborted }, machine, startedAt)
        return
      case 'by-workers':
        await runByWorkers(
          { services, options: command.run, directory, env, signal, aborted },
          command,
          machine,
          startedAt
        )
        return
      case 'fairness':
        await runFairness(
          { services, options: command.run, directory, env, signal, aborted },
          command,
          machine,
          startedAt
        )
        return
      case 'sender':
        await runSender(
          { services, options: command.run, directory, env, signal, aborted },
          command,
          machine,
          startedAt
        )
        return
      case 'schemas':
        await runSchemas(
          { services, options: command.run, directory, env, signal, aborted },
          command,
          machine,
          startedAt
        )
        return
      case 'run': {
        const outcome = await runAll({
          services,
          options: command,
          directory,
          env,
          signal,
          aborted
        })
        if (signal.aborted) say('Stopped: nothing was written.')
        else finishSuite(command, machine, outcome, startedAt)
      }
    }
  } finally {
    await services.stop()
  }
}

interface Surroundings {
  readonly services: BenchServices
  readonly directory: string
  readonly signal: AbortSignal
  readonly aborted: Promise<never>
}

const MAX_SLICE_ROWS = 600_000

async function runGrowth(
  { rows, jsonFile }: GrowthArguments,
  surroundings: Surroundings,
  machine: Machine,
  startedAt: Date
): Promise<void> {
  const sliceRows = Math.min(MAX_SLICE_ROWS, Math.round(rows / 16))
  try {
    const slices = await measureGrowth({ ...surroundings, rows, sliceRows, say })
    const steps = summarizeGrowth(slices, rows)
    const goals = growthGoals(steps)
    const unsteady = growthWarning(steps)
    say(
      `\n${growthTable(steps)}\n${unsteady === null ? '' : `\n${unsteady}\n`}\nGoals\n${goalLines(goals)}\n`
    )
    const document = {
      schema: BENCH_SCHEMA,
      startedAt: startedAt.toISOString(),
      machine,
      options: { rows, sliceRows }
    }
    writeJson(jsonFileFor(jsonFile, startedAt), { ...document, tableGrowth: steps, slices, goals })
  } catch (error) {
    if (!surroundings.signal.aborted) throw error
    say('Stopped: nothing was written.')
  }
}

async function runFairness(
  bench: Bench,
  { sizes, run }: FairnessArguments,
  machine: Machine,
  startedAt: Date
): Promise<void> {
  try {
    const turns = await measureFairness(bench, sizes, say)
    const results = summarizeFairness(turns)
    const goals = fairnessGoals(results)
    say(`\n${fairnessTable(results)}\n\nGoals\n${goalLines(goals)}\n`)
    const options = { ...sizes, workers: run.workers, pollers: run.pollers }
    const document = { schema: BENCH_SCHEMA, startedAt: startedAt.toISOString(), machine, options }
    writeJson(jsonFileFor(run.jsonFile, startedAt), {
      ...document,
      fairness: results,
      turns,
      goals
    })
  } catch (error) {
    if (!bench.signal.aborted) throw error
    say('Stopped: nothing was written.')
  }
}

async function runSender(
  bench: Bench,
  { sizes, run }: SenderArguments,
  machine: Machine,
  startedAt: Date
): Promise<void> {
  try {
    const results = await measureSender(bench, sizes, say)
    const goals = senderGoals(results)
    say(`\n${senderTables(results)}\n\nGoals\n${goalLines(goals)}\n`)
    const document = {
      schema: BENCH_SCHEMA,
      startedAt: startedAt.toISOString(),
      machine,
      options: { ...sizes, workers: run.workers }
    }
    writeJson(jsonFileFor(run.jsonFile, startedAt), { ...document, sender: results, goals })
  } catch (error) {
    if (!bench.signal.aborted) throw error
    say('Stopped: nothing was written.')
  }
}

/** Needs no services, only schemas and payloads. */
async function runSchemaCost(
  { jsonFile }: SchemaCostArguments,
  signal: AbortSignal
): Promise<void> {
  const startedAt = new Date()
  const results = await measureCosts(say, signal)
  if (signal.aborted) {
    say('Stopped: nothing was written.')
    return
  }
  const goals = costGoals(results)
  say(`\n${costTable(results)}\n\nGoals\n${goalLines(goals)}\n`)
  writeJson(jsonFileFor(jsonFile, startedAt), {
    schema: BENCH_SCHEMA,
    startedAt: startedAt.toISOString(),
    schemaCost: results,
    goals
  })
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    onAbort(signal, () => reject(new Error('stopped')))
  })
  // Between two scenarios nobody waits for it.
  aborted.catch(() => undefined)
  return aborted
}
