/**
 * `npm start`: everything on one machine — embedded services unless others are
 * configured, the programs of each system, and a live line of what happens.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createHelp } from '../../engine/cli/help-service.js'
import type { Environment } from '../../engine/config/environment.js'
import type { Service } from '../../engine/lifecycle/service.js'
import { openDatabase, openServices } from '../../engine/program/services.js'
import type { System } from '../../engine/program/system.js'
import { SYSTEMS } from '../../systems/systems.js'
import { parseStackArguments, STACK_HELP } from './arguments.js'
import { readStackConfig, type StackConfig } from './config.js'
import { DEMOS } from './demos.js'
import { introduce } from './introduction.js'
import { LiveLine } from './live-line.js'
import { Stand } from './stand.js'
import { watch } from './watch.js'

export function createStack(env: Environment, args: readonly string[]): Service {
  const command = parseStackArguments(args, SYSTEMS)
  if (command.kind === 'help') return createHelp(STACK_HELP)
  const { systems } = command
  const config = readStackConfig(env, systems)
  return { run: signal => run(config, systems, env, signal) }
}

async function run(
  config: StackConfig,
  systems: readonly System[],
  env: Environment,
  signal: AbortSignal
): Promise<void> {
  const logDir = join(config.dataDir, 'logs')
  mkdirSync(logDir, { recursive: true })
  const services =
    config.usesQueue && config.services.kind === 'embedded'
      ? await openServices(config.services, say)
      : await openDatabase(config.services, say)
  const { portOf } = config
  const stands = systems.map(system => {
    const demo = DEMOS[system.name]?.({ env, services }) ?? null
    return new Stand({ system, demo, env, portOf, logDir, say })
  })
  const output = new LiveLine(process.stdout)
  try {
    for (const stand of stands) await stand.start(signal)
    for (const line of introduce(stands, services.dbConnection, logDir)) say(line)
    await watch(stands, output, signal)
    const endings = stands.flatMap(({ demo }) => demo?.ending ?? [])
    output.end(`Stopping: ${endings.join('; ')} …`)
    const done: string[] = []
    for (const stand of stands) done.push(...(await stand.finish()))
    for (const stand of stands.toReversed()) await stand.stop()
    if (done.length > 0) say(`Stopped. ${done.join('  |  ')}. The rows stay for the next start.`)
  } finally {
    for (const stand of stands.toReversed()) await stand.stop()
    await services.stop()
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
