/**
 * `npm run chaos`: runs a seeded plan of kills and faults against the built processor and
 * sender, on a real PostgreSQL and a real queue. Afterwards it proves that every event is
 * where it belongs and has reached every endpoint that should get it.
 *
 * Errors  exit code 1 on any violation, with the seed and what is wrong; all files are
 *         kept for the investigation.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { createRandom } from '../../engine/cli/random.js'
import { type Environment, readRightValues } from '../../engine/config/environment.js'
import { EMBEDDED_SETTINGS } from '../../engine/embedded/settings.js'
import { withStartLock } from '../../engine/embedded/start-lock.js'
import { ExpectedError, type Service } from '../../engine/lifecycle/service.js'
import { CHAOS_HELP, type ChaosArguments, parseChaosArguments } from './arguments.js'
import { createPlan, describeStep, formatPlan, type Plan } from './plan.js'
import { createChaosProgress } from './progress.js'
import { CHAOS_SCHEMA, type ChaosResult, formatChaosResult, judgeRun } from './report.js'
import { ChaosRun } from './run.js'
import { removeFiles, startSystems } from './systems.js'

/** One defect often causes a thousand violations. */
const MAX_TOLD = 50

export function createChaos(env: Environment, args: readonly string[]): Service {
  const command = parseChaosArguments(args)
  const { DATA_DIR } = readRightValues(EMBEDDED_SETTINGS.settings, env)
  const directory = resolve(DATA_DIR, 'chaos')
  return {
    async run(signal) {
      // A closed pipe (`| head`) must not leave the services running.
      process.stdout.on('error', () => undefined)
      if (command.kind === 'help') {
        say(CHAOS_HELP)
        return
      }
      mkdirSync(directory, { recursive: true })
      await withStartLock(directory, () => runPlan(command, env, directory, signal))
    }
  }
}

async function runPlan(
  options: ChaosArguments,
  env: Environment,
  directory: string,
  signal: AbortSignal
): Promise<void> {
  const { events, kills, faults, deliveryFaults, workers, jsonFile } = options
  const plan = createPlan({
    seed: options.seed ?? randomUUID(),
    events,
    kills,
    faults,
    deliveryFaults
  })
  say(
    `Seed ${plan.seed}: ${events} events, ${kills} kills, ${faults} faults, ` +
      `${deliveryFaults} more at the sender, ${workers} workers`
  )
  for (const line of formatPlan(plan)) say(`  ${line}`)
  const result = await carryOut(plan, workers, env, directory, signal)
  if (result === null) {
    removeFiles(directory)
    say('Stopped: nothing was verified.')
    return
  }
  say(`\n${formatChaosResult(result)}`)
  const wrong = judgeRun(result)
  if (jsonFile !== null) {
    mkdirSync(dirname(jsonFile), { recursive: true })
    writeFileSync(
      jsonFile,
      `${JSON.stringify({ ...result, ok: wrong.length === 0, wrong }, null, 2)}\n`
    )
    say(`Figures: ${jsonFile}`)
  }
  if (wrong.length === 0) {
    removeFiles(directory)
    say(`OK: lost 0, duplicates 0, in ${Math.round(result.seconds)} s`)
    return
  }
  throw new ExpectedError(
    [
      `NOT OK with seed ${plan.seed} (--events ${events} --kills ${kills} --faults ${faults} ` +
        `--sender-faults ${deliveryFaults} --workers ${workers}):`,
      ...wrong.slice(0, MAX_TOLD).map(text => `  - ${text}`),
      ...(wrong.length > MAX_TOLD ? [`  and ${wrong.length - MAX_TOLD} more`] : []),
      `The ledgers, the logs of both programs and the database's files are in ${directory}.`
    ].join('\n')
  )
}

/** Null when stopped by a signal. */
async function carryOut(
  plan: Plan,
  workers: number,
  env: Environment,
  directory: string,
  signal: AbortSignal
): Promise<ChaosResult | null> {
  const startedAt = new Date()
  const startedMs = performance.now()
  const violations: string[] = []
  const noted: Record<string, number> = {}
  const progress = createChaosProgress(process.stderr, plan.steps.length)
  let doing = 'start'
  const onWrong = (text: string): void => {
    violations.push(`${doing}: ${text}`)
  }
  const systems = await startSystems({
    directory,
    env,
    seed: plan.seed,
    events: plan.events,
    workers,
    random: createRandom(`proxies ${plan.seed}`),
    signal,
    onWrong,
    onNoted: what => {
      noted[what] = (noted[what] ?? 0) + 1
    }
  })
  try {
    const run = new ChaosRun({
      plan,
      systems,
      workers,
      signal,
      onStep: (done, step) => {
        doing = step === null ? 'after the last step' : `step ${done + 1} (${describeStep(step)})`
        progress.update(done, doing)
      }
    })
    const outcome = await run.run()
    const { cuts } = systems.databaseProxy
    if (cuts.message + cuts.commit > 0)
      Object.assign(noted, {
        'connections cut at a message': cuts.message,
        'answers to COMMIT cut off': cuts.commit
      })
    return {
      schema: CHAOS_SCHEMA,
      startedAt: startedAt.toISOString(),
      seconds: (performance.now() - startedMs) / 1_000,
      workers,
      plan,
      traffic: systems.traffic,
      deletesChecked: systems.deletes.checked,
      noted,
      replacements: systems.processor.logs.flatMap(log => log.replacements),
      startMs: systems.processor.startMs,
      violations,
      ...outcome
    }
  } catch (error) {
    if (signal.aborted) return null
    throw violations.length === 0
      ? error
      : new Error(`${String(error)}\nbefore that:\n${violations.join('\n')}`, { cause: error })
  } finally {
    progress.stop()
    await systems.close()
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
