/**
 * The command line of `npm start`.
 *
 * Errors  ArgumentsError naming every mistake at once.
 */
import { ArgumentsError, readFlags } from '../../engine/cli/flags.js'
import { didYouMean } from '../../engine/cli/nearest.js'

export type StackCommand<Named> =
  | { readonly kind: 'help' }
  | { readonly kind: 'start'; readonly systems: readonly Named[] }

export const STACK_HELP = `Starts everything on this machine: embedded services unless others are configured,
and the programs of each system.

  npm start
  npm start -- --only NAME

  --only NAME    only this system; may be given several times

Ctrl-C stops everything. Settings: .env-template.
`

export function parseStackArguments<Named extends { readonly name: string }>(
  args: readonly string[],
  systems: readonly Named[]
): StackCommand<Named> {
  const flags = readFlags(args, { only: 'texts', help: 'switch' })
  const names = systems.map(({ name }) => name)
  const wanted = flags.texts('only')
  for (const word of wanted) {
    if (!names.includes(word))
      flags.problems.push(
        `${JSON.stringify(word)} is not a system${didYouMean(word, names)} (the systems: ${names.join(', ')})`
      )
  }
  if (flags.problems.length > 0) throw new ArgumentsError(flags.problems)
  if (flags.isOn('help')) return { kind: 'help' }
  const chosen = systems.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  return { kind: 'start', systems: chosen }
}
