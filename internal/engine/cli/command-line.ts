/**
 * The command line of a program that has commands.
 *
 * Shapes  arguments and the program's commands in; a text to show or the work to do out.
 * Errors  ArgumentsError that names all mistakes at once, with the nearest word for an
 *         unknown one.
 */
import type { Command, Work } from './command.js'
import { ArgumentsError, type FlagKinds, readFlags } from './flags.js'
import { type CommandProgram, commandHelp, groupHelp, programHelp } from './help.js'
import { didYouMean } from './nearest.js'

export type CommandLine<Context> =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'work'; readonly work: Work<Context> }

export function parseCommandLine<Context>(
  args: readonly string[],
  program: CommandProgram<Context>,
  nowMs: number
): CommandLine<Context> {
  const [word, ...rest] = args
  if (isHelp(word)) return { kind: 'help', text: programHelp(program) }
  const group = pick('command', word, program.commands)
  if (!('commands' in group)) return parseCommand(group.name, group, rest, program, nowMs)
  const [second, ...others] = rest
  if (isHelp(second)) return { kind: 'help', text: groupHelp(program, group) }
  const command = pick(`command of ${group.name}`, second, group.commands)
  return parseCommand(`${group.name} ${command.name}`, command, others, program, nowMs)
}

const isHelp = (word: string | undefined): boolean =>
  word === '--help' || word === '-h' || word === 'help'

function pick<T extends { readonly name: string }>(
  what: string,
  word: string | undefined,
  candidates: readonly T[]
): T {
  const names = candidates.map(({ name }) => name)
  const found = candidates.find(({ name }) => name === word)
  if (found !== undefined) return found
  if (word === undefined) throw new ArgumentsError([`a ${what} is missing: ${names.join(', ')}`])
  throw new ArgumentsError([
    `${JSON.stringify(word)} is not a ${what}${didYouMean(word, names)} (there are ${names.join(', ')})`
  ])
}

function parseCommand<Context>(
  words: string,
  command: Command<Context>,
  args: readonly string[],
  program: CommandProgram<Context>,
  nowMs: number
): CommandLine<Context> {
  const kinds: Record<string, FlagKinds[string]> = { help: 'switch' }
  for (const [name, { value, isRepeated }] of Object.entries(command.options)) {
    kinds[name] = value === null ? 'switch' : isRepeated === true ? 'texts' : 'text'
  }
  if (args.some(isHelpOption)) return { kind: 'help', text: commandHelp(program, words, command) }
  const flags = readFlags(args, kinds, command.operands?.max)
  const work = command.prepare(flags, nowMs)
  if (flags.problems.length > 0) throw new ArgumentsError(flags.problems)
  return { kind: 'work', work }
}

const isHelpOption = (arg: string): boolean => arg === '--help' || arg === '-h'
