/** Ports for the programs of `npm start`: the usual ones unless they are taken. */
import type { Environment } from '../../engine/config/environment.js'
import { findFreePort, isPortFree } from '../../engine/embedded/port.js'
import { ExpectedError } from '../../engine/lifecycle/service.js'

/**
 * The configured port; if it is taken and nobody chose it, a free one, with a message.
 */
export async function choosePort(
  setting: string,
  wanted: number,
  env: Environment,
  say: (line: string) => void
): Promise<number> {
  const port = await freePortLike(wanted)
  if (port === wanted || wanted === 0) return port
  if (env[setting])
    throw new ExpectedError(
      `Port ${wanted} is taken by another program: set ${setting} to another one`
    )
  say(`Port ${wanted} is taken; /metrics is on ${port} instead (${setting} changes it).`)
  return port
}

export async function freePortLike(wanted: number): Promise<number> {
  return wanted !== 0 && (await isPortFree(wanted)) ? wanted : findFreePort()
}
