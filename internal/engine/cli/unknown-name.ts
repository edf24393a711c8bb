import type { Names } from '../../systems/events/store/names.js'
import type { AdminContext, ExitCode } from './command.js'
import { didYouMean } from './nearest.js'
import { printable } from './terminal-text.js'

/** Says that a name does not exist, and which one was probably meant. */
export async function unknownName(
  noun: string,
  name: string,
  names: Names,
  { output }: AdminContext
): Promise<ExitCode> {
  const known = (await names.list()).map(record => record.name)
  output.remark(printable(`No ${noun} is called ${JSON.stringify(name)}${didYouMean(name, known)}`))
  return 1
}
