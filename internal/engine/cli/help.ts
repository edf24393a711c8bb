/** Builds the help from the commands' own texts, so that no option can be missing. */
import type { Command, CommandGroup, Commands, Options } from './command.js'

/** A program with commands, and the texts of its help. */
export interface CommandProgram<Context> {
  /** As the user types it, such as `node dist/cmd/admin`. */
  readonly name: string
  /** What it is for. */
  readonly introduction: string
  /** What holds for all commands; shown below their list. */
  readonly conventions: string
  /** One line. */
  readonly exitCodes: string
  readonly commands: Commands<Context>
}

const WIDTH = 110

export function programHelp<Context>(program: CommandProgram<Context>): string {
  const { name, introduction, conventions, exitCodes, commands } = program
  const rows = commands.map(command => [command.name, command.summary] as const)
  return `${paragraphs(introduction)}  ${name} COMMAND [options]

${columns(rows)}
${name} COMMAND --help says more about each.
${conventions}
${exitCodes}
`
}

export function groupHelp<Context>(
  program: CommandProgram<Context>,
  { name, summary, commands }: CommandGroup<Context>
): string {
  const rows = commands.map(
    command => [usageOf(`${name} ${command.name}`, command), command.summary] as const
  )
  const examples = commands.flatMap(command => command.examples)
  return `${paragraphs(summary)}${columns(rows)}
${program.name} ${name} COMMAND --help lists the options of each.

${exampleLines(program.name, examples)}
${program.exitCodes}
`
}

export function commandHelp<Context>(
  program: CommandProgram<Context>,
  words: string,
  command: Command<Context>
): string {
  const { summary, options, notes, examples } = command
  return `${paragraphs(summary)}  ${program.name} ${usageOf(words, command)} [options]

${optionLines(options)}
${notes === undefined ? '' : paragraphs(notes)}${exampleLines(program.name, examples)}
${program.exitCodes}
`
}

const usageOf = (words: string, { operands }: Pick<Command<never>, 'operands'>): string =>
  operands === undefined ? words : `${words} ${operands.text}`

function optionLines(options: Options): string {
  const rows = Object.entries(options).map(
    ([name, { value, text }]) =>
      [value === null ? `--${name}` : `--${name} ${value}`, text] as const
  )
  return columns([...rows, ['--help', 'this text']])
}

const exampleLines = (program: string, examples: readonly string[]): string =>
  [
    `Example${examples.length === 1 ? '' : 's'}\n`,
    ...examples.map(example => `  ${program} ${example}\n`)
  ].join('')

/** Wraps text to the help's width, and keeps its line breaks. */
const paragraphs = (text: string): string =>
  `${text
    .split('\n')
    .flatMap(paragraph => wrap(paragraph, WIDTH))
    .join('\n')}\n\n`

/** Two columns; the second one wraps. */
function columns(rows: readonly (readonly [left: string, right: string])[]): string {
  const left = Math.max(...rows.map(([text]) => text.length))
  return rows
    .map(([name, text]) => {
      const [first = '', ...more] = wrap(text, WIDTH - left - 4)
      const indent = ' '.repeat(left + 4)
      return [`  ${name.padEnd(left)}  ${first}`, ...more.map(line => indent + line)]
        .map(line => `${line}\n`)
        .join('')
    })
    .join('')
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
