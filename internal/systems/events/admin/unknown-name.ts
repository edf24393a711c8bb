import type { ExitCode } from '../../../engine/cli/command.js'
import { didYouMean } from '../../../engine/cli/nearest.js'
import { printable } from '../../../engine/cli/terminal-text.js'
import type { Names } from '../store/names.js'
import type { AdminContext } from './context.js'

/**
 * Says that a client or an event type does not exist, and which one was probably meant.
 */
export async function unknownName(
  noun: string,
  name: string,
  names: Names,
  { output }: Pick<AdminContext, 'output'>
): Promise<ExitCode> {
  const known = (await names.list()).map(record => record.name)
  output.remark(printable(`No ${noun} is called ${JSON.stringify(name)}${didYouMean(name, known)}`))
  return 1
}
