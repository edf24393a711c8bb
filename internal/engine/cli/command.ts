/**
 * What a command is: its words, its options, its help and its work.
 *
 * A group (`rejections`) has commands (`ls`); a command may also stand alone (`trace`).
 * `Context` is what the commands of one system work with; the system declares it.
 *
 * Errors  `prepare` adds what is wrong to the flags' problems, before any work. The work
 *         rejects with what its context rejects with.
 */
import type { Flags } from './flags.js'
import type { Output } from './output.js'

/** An option: a switch, or with the word that its help shows for the value. */
export interface Option {
  readonly value: string | null
  readonly text: string
  /** May be given several times. */
  readonly isRepeated?: true
}

export type Options = Readonly<Record<string, Option>>

/**
 * Done, or failed: also where what was asked for is not there. Wrong arguments are 2, and
 * come before any work.
 */
export type ExitCode = 0 | 1

export type Work<Context> = (context: Context) => Promise<ExitCode>

export interface Command<Context> {
  readonly name: string
  /** One line, for the list of commands. */
  readonly summary: string
  /** How operands are written, such as `ID`; absent: there are none. */
  readonly operands?: { readonly text: string; readonly max: number }
  readonly options: Options
  /** What else a person must know. */
  readonly notes?: string
  /** What stands behind the program's name. */
  readonly examples: readonly string[]
  readonly prepare: (flags: Flags, nowMs: number) => Work<Context>
}

export interface CommandGroup<Context> {
  readonly name: string
  readonly summary: string
  readonly commands: readonly Command<Context>[]
}

/** In the order of their help. */
export type Commands<Context> = readonly (CommandGroup<Context> | Command<Context>)[]

/** What the program itself has for every command. */
export interface CommandTools {
  readonly output: Output
  /** Aborts at Ctrl-C: what is under way is finished, nothing further is begun. */
  readonly signal: AbortSignal
}

/**
 * Commands of a system, ready for a program that does not know its context: `perform`
 * opens the context when a command is to work, and closes it afterwards.
 */
export function bindCommands<Context>(
  commands: Commands<Context>,
  perform: (work: Work<Context>, tools: CommandTools) => Promise<ExitCode>
): Commands<CommandTools> {
  const bind = (command: Command<Context>): Command<CommandTools> => ({
    ...command,
    prepare(flags, nowMs) {
      const work = command.prepare(flags, nowMs)
      return tools => perform(work, tools)
    }
  })
  return commands.map(entry =>
    'commands' in entry ? { ...entry, commands: entry.commands.map(bind) } : bind(entry)
  )
}
