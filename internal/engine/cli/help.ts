/**
 * The help texts, made of what the commands say about themselves, so that no option can
 * be missing from them.
 */
import type { Command, CommandGroup, Options } from './command.js'

const PROGRAM = 'node dist/cmd/admin'
const WIDTH = 110

const EXIT_CODES = `Exit code 0: done. 1: failed, interrupted, or what was asked for is not there. 2: wrong arguments.
`

export function programHelp(groups: readonly (CommandGroup | Command)[]): string {
  const rows = groups.map(({ name, summary }) => [name, summary] as const)
  return `Clients, event types, schemas, rejections, dead letters, endpoints, deliveries and single events, for people. Settings are those of the
processor and the sender (.env-template).

  ${PROGRAM} COMMAND [options]

${columns(rows)}
${PROGRAM} COMMAND --help says more about each.
--json prints one JSON document instead of a table; export prints JSON lines. Times are UTC.
${EXIT_CODES}`
}

export function groupHelp({ name, summary, commands }: CommandGroup): string {
  const rows = commands.map(
    command => [usageOf(`${name} ${command.name}`, command), command.summary] as const
  )
  const examples = commands.flatMap(command => command.examples)
  return `${summary}

${columns(rows)}
${PROGRAM} ${name} COMMAND --help lists the options of each.

${exampleLines(examples)}
${EXIT_CODES}`
}

export function commandHelp(words: string, command: Command): string {
  const { summary, options, notes, examples } = command
  return `${summary}

  ${PROGRAM} ${usageOf(words, command)} [options]

${optionLines(options)}
${notes === undefined ? '' : `${notes}\n\n`}${exampleLines(examples)}
${EXIT_CODES}`
}

const usageOf = (words: string, { operands }: Command): string =>
  operands === undefined ? words : `${words} ${operands.text}`

function optionLines(options: Options): string {
  const rows = Object.entries(options).map(
    ([name, { value, text }]) =>
      [value === null ? `--${name}` : `--${name} ${value}`, text] as const
  )
  return columns([...rows, ['--help', 'this text']])
}

const exampleLines = (examples: readonly string[]): string =>
  `Example${examples.length === 1 ? '' : 's'}\n${examples.map(example => `  ${PROGRAM} ${example}\n`).join('')}`

/** Two columns, the second one in as many lines as it needs. */
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
