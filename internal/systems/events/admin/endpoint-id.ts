/** Reads endpoint numbers from the command line. */

import type { ExitCode } from '../../../engine/cli/command.js'
import type { Flags } from '../../../engine/cli/flags.js'
import { readText } from '../../../engine/cli/options.js'
import type { AdminContext } from './context.js'

/** Reads the operand; what is wrong goes to the flags' problems. */
export function readEndpointId(flags: Flags): number {
  const [text = ''] = flags.operands
  if (text === '') flags.problems.push('ID is missing: endpoints ls shows them')
  else if (!isId(text)) flags.problems.push(`ID must be a number, not ${JSON.stringify(text)}`)
  return Number(text)
}

/** Reads --endpoint; null when it is absent. */
export function readEndpointOption(flags: Flags): number | null {
  const text = readText(flags, 'endpoint')
  if (text === null) return null
  if (!isId(text))
    flags.problems.push(
      `--endpoint must be a number, not ${JSON.stringify(text)}: endpoints ls shows them`
    )
  return Number(text)
}

const isId = (text: string): boolean => /^\d{1,9}$/.test(text)

export function noEndpoint(id: number, { output }: AdminContext): ExitCode {
  output.remark(`No endpoint has the id ${id}: endpoints ls shows them`)
  return 1
}
