/**
 * Reads the command lines of our programs: named options, operands where a program takes
 * some, and all mistakes in one message.
 *
 * Shapes  arguments in; one text (or true for a switch) per option out, with the list of
 *         problems so far.
 * Errors  none here; the caller adds problems with the values and throws ArgumentsError.
 */
import { parseArgs } from 'node:util'
import { ExpectedError } from '../lifecycle/service.js'
import { didYouMean } from './nearest.js'

export class ArgumentsError extends ExpectedError {
  override readonly name = 'ArgumentsError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(
      `Wrong arguments (--help shows all of them):\n${problems.map(problem => `  - ${problem}`).join('\n')}`
    )
    this.problems = problems
  }
}

/** `texts` may be given several times. */
export type FlagKinds = Readonly<Record<string, 'text' | 'texts' | 'switch'>>

export interface Flags {
  readonly text: (name: string) => string | undefined
  /** For an option that may be given several times. */
  readonly texts: (name: string) => readonly string[]
  readonly isOn: (name: string) => boolean
  /** Arguments that belong to no option. */
  readonly operands: readonly string[]
  readonly problems: string[]
}

export function readFlags(args: readonly string[], kinds: FlagKinds, maxOperands = 0): Flags {
  const options = Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => [
      name,
      { type: kind === 'switch' ? ('boolean' as const) : ('string' as const) }
    ])
  )
  // Not strict: the strict parser stops at the first problem, and we report all of them.
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true
  })
  const values = new Map<string, string | undefined>()
  const lists = new Map<string, string[]>()
  const problems: string[] = []
  const operands: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (operands.length < maxOperands) operands.push(token.value)
      else
        problems.push(
          `${token.value} is not understood: ${maxOperands === 0 ? 'options start with --' : 'that is one too many'}`
        )
    }
    if (token.kind !== 'option') continue
    const { name, rawName, value } = token
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
    if (kind === undefined)
      problems.push(
        `${rawName} is not an option of this program${didYouMean(name, Object.keys(kinds), '--')}`
      )
    else if (values.has(name) && kind !== 'texts') problems.push(`${rawName} is given twice`)
    else if (kind === 'switch' && value !== undefined) problems.push(`${rawName} takes no value`)
    else if (kind !== 'switch' && (value === undefined || value === '' || value.startsWith('--')))
      problems.push(`${rawName} needs a value`)
    if (kind !== undefined) values.set(name, value)
    if (kind === 'texts' && value !== undefined)
      lists.set(name, [...(lists.get(name) ?? []), value])
  }
  return {
    text: name => values.get(name),
    texts: name => lists.get(name) ?? [],
    isOn: name => values.has(name),
    operands,
    problems
  }
}

/**
 * A number from `min` to `max`; undefined when the option is absent, or wrong, which adds
 * a problem.
 */
export function readNumber(
  flags: Flags,
  name: string,
  min: number,
  max: number,
  isWhole = true
): number | undefined {
  const text = flags.text(name)
  if (text === undefined || text === '' || text.startsWith('--')) return undefined
  const value = /^[0-9]+([.][0-9]+)?$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max && (!isWhole || Number.isInteger(value))) return value
  flags.problems.push(
    `--${name} must be a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}, not ${JSON.stringify(text)}`
  )
  return undefined
}
