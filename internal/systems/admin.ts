/**
 * `node dist/cmd/admin`: the commands by which people look at the systems and change
 * them. Each system registers its own.
 */
import { createCommandService } from '../engine/cli/command-service.js'
import type { Environment } from '../engine/config/environment.js'
import type { Service } from '../engine/lifecycle/service.js'
import type { SystemAdmin } from '../engine/program/system.js'
import { SYSTEMS } from './systems.js'

export async function createAdmin(env: Environment, args: readonly string[]): Promise<Service> {
  const admins: SystemAdmin[] = []
  for (const { loadAdmin } of SYSTEMS) if (loadAdmin !== undefined) admins.push(await loadAdmin())
  return createCommandService(
    {
      name: 'node dist/cmd/admin',
      introduction: admins.map(({ introduction }) => introduction).join('\n'),
      conventions:
        '--json prints one JSON document instead of a table; export prints JSON lines. ' +
        'Times are UTC.',
      exitCodes: 'Exit code 0: done. 1: failed, interrupted or not found. 2: wrong arguments.',
      commands: admins.flatMap(({ commands }) => commands(env))
    },
    args
  )
}
