/**
 * `npm run soak`: runs the built processor under a steady load for a long time, and
 * checks that its memory, handles and latency stay stable.
 *
 * Errors  a missed goal, a lost or extra event, or a replaced worker is named, and the
 *         exit code is 1.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Environment, readRightValues } from '../../engine/config/environment.js'
import { EMBEDDED_SETTINGS } from '../../engine/embedded/settings.js'
import { withStartLock } from '../../engine/embedded/start-lock.js'
import { ExpectedError, type Service } from '../../engine/lifecycle/service.js'
import { currentLoad, describeMachine } from '../bench/machine.js'
import { machineLine, noiseWarning } from '../bench/report.js'
import { startServices } from '../bench/services.js'
import { parseSoakArguments, SOAK_HELP, type SoakArguments } from './arguments.js'
import { findIn, soakGoals } from './findings.js'
import { formatFindings, wrongCounts } from './report.js'
import { runSoak } from './run.js'

/** Changes when a field of the JSON file changes its meaning or is removed. */
const SCHEMA = 'event-process-soak/1'

export function createSoak(env: Environment, args: readonly string[]): Service {
  const command = parseSoakArguments(args)
  const { DATA_DIR } = readRightValues(EMBEDDED_SETTINGS.settings, env)
  const directory = resolve(DATA_DIR, 'soak')
  return {
    async run(signal) {
      process.stdout.on('error', () => undefined)
      if (command.kind === 'help') {
        say(SOAK_HELP)
        return
      }
      mkdirSync(directory, { recursive: true })
      await withStartLock(directory, () => soak(command, env, directory, signal))
    }
  }
}

async function soak(
  options: SoakArguments,
  env: Environment,
  directory: string,
  signal: AbortSignal
): Promise<void> {
  const { minutes, workers, jsonFile } = options
  const startedAt = new Date()
  const loadBefore = currentLoad()
  const services = await startServices(directory, say)
  try {
    const machine = await describeMachine(services.db, directory, loadBefore)
    say(machineLine(machine))
    const warning = noiseWarning(machine)
    if (warning !== null) say(warning)
    const seconds = minutes * 60
    const outcome = await runSoak({ services, seconds, workers, directory, env, signal, say })
    if (outcome === null) {
      say('Stopped: nothing was judged.')
      return
    }
    const findings = findIn(outcome.samples, seconds)
    const goals = soakGoals(findings)
    say(`\n${formatFindings(outcome, findings, goals)}`)
    const wrong = [
      ...wrongCounts(outcome),
      ...goals.filter(({ isMet }) => !isMet).map(({ name, measured }) => `${name}: ${measured}`)
    ]
    if (jsonFile !== null) {
      const document = {
        schema: SCHEMA,
        startedAt: startedAt.toISOString(),
        machine,
        minutes,
        workers,
        ok: wrong.length === 0,
        wrong
      }
      mkdirSync(dirname(jsonFile), { recursive: true })
      writeFileSync(
        jsonFile,
        `${JSON.stringify({ ...document, goals, findings, ...outcome }, null, 2)}\n`
      )
      say(`Figures: ${jsonFile}`)
    }
    if (wrong.length > 0)
      throw new ExpectedError(`NOT OK:\n${wrong.map(text => `  - ${text}`).join('\n')}`)
    say('OK')
  } finally {
    await services.stop()
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
