/**
 * What a command is: its words, its options, its help and its work.
 *
 * A group (`rejections`) has commands (`ls`); a command may also stand alone (`trace`).
 * `Context` is what the commands of one system work with; the system declares it.
 *
 * Errors  `prepare` adds mistakes to the flags' problems, before any work. The work
 *         rejects when its context does.
 */
import type { Flags } from './flags.js'
import type { Output } from './output.js'

/** An option: a switch (null), or with the word for its value in the help. */
export interface Option {
  readonly value: string | null
  readonly text: string
  /** May be given several times. */
  readonly isRepeated?: true
}

export type Options = Readonly<Record<string, Option>>

/** 0 done; 1 failed or not found. Wrong arguments are 2, before any work. */
export type ExitCode = 0 | 1

export type Work<Context> = (context: Context) => Promise<ExitCode>

export interface Command<Context> {
  readonly name: string
  /** One line, for the list of commands. */
  readonly summary: string
  /** How operands are written, such as `ID`; absent: none are allowed. */
  readonly operands?: { readonly text: string; readonly max: number }
  readonly options: Options
  /** What else the user must know. */
  readonly notes?: string
  /** Command lines without the program's name. */
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

/** What the program provides for every command. */
export interface CommandTools {
  readonly output: Output
  /** Aborts at Ctrl-C: finish what is under way, begin nothing new. */
  readonly signal: AbortSignal
}

/**
 * A system's commands for a program that does not know their context: `perform` opens the
 * context when a command starts its work, and closes it afterwards.
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
