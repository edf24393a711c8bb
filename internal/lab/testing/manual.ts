/**
 * The manual's examples, as commands and their expected output.
 *
 * Shapes  a block of console lines in, its commands out. A second function compares
 *         printed text with the shown text, ignoring what differs each time: times, ids,
 *         secrets, column widths, and in blocks marked so also numbers. `…` stands for
 *         any text, on its own line for any lines.
 */
import { readFileSync } from 'node:fs'
import { type MarkdownBlock, type MarkdownPage, repositoryPath } from './markdown.js'

export interface ShownCommand {
  readonly text: string
  /** The output as shown; no lines means no output. */
  readonly output: string
  readonly where: string
}

/** The commands of a console block: `$ ` begins one, `> ` continues it. */
export function commandsOf({ page, line, lines }: MarkdownBlock): readonly ShownCommand[] {
  const commands: { text: string; output: string[]; where: string }[] = []
  const indent = /^ */.exec(lines[0] ?? '')?.[0].length ?? 0
  for (const [index, indented] of lines.entries()) {
    const text = indented.slice(indent)
    const last = commands.at(-1)
    if (text.startsWith('$ '))
      commands.push({ text: text.slice(2), output: [], where: `${page}:${line + index + 1}` })
    else if (last === undefined)
      throw new Error(`${page}:${line}: a console block begins with a command`)
    else if (last.output.length === 0 && text.startsWith('> ')) last.text += `\n${text.slice(2)}`
    else last.output.push(text)
  }
  return commands.map(({ text, output, where }) => ({ text, output: output.join('\n'), where }))
}

const VARIES: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?/g, 'TIME'],
  [/[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/g, 'UUID'],
  [/whsec_[\w+/=]+/g, 'SECRET'],
  [/-{3,}/g, '---'],
  [/ +$/gm, ''],
  [/ {2,}/g, ' ']
]

function normalize(text: string, numbersVary: boolean): string {
  let plain = text
  for (const [what, name] of VARIES) plain = plain.replaceAll(what, name)
  if (numbersVary) plain = plain.replaceAll(/\d[\d.,]*/g, 'N').replaceAll(/^ +/gm, '')
  return plain.trim()
}

export function isAsShown(shown: string, printed: string, numbersVary: boolean): boolean {
  const pattern = normalize(shown, numbersVary)
    .split('\n')
    .map(line => (line === '…' ? '(?:.*\n?)*?' : `${line.split('…').map(literal).join('.*')}\n`))
    .join('')
  return new RegExp(`^${pattern}$`).test(`${normalize(printed, numbersVary)}\n`)
}

const literal = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')

/** Whether the command may be repeated until it gives the expected answer. */
export const isQuestion = (command: string): boolean =>
  /^node dist\/cmd\/admin (\S+ (ls|show|test)|trace)\b/.test(command) ||
  /^npm run -s sql -- "SELECT/.test(command)

export interface MentionedCommand {
  readonly where: string
  readonly words: readonly string[]
}

const PROGRAMS = /^(node dist\/cmd\/|npm |psql |docker |cp )/

/** Commands in sentences, tables and blocks that are not run. */
export function mentionedCommands({
  path,
  lines,
  blocks
}: MarkdownPage): readonly MentionedCommand[] {
  const inText = lines
    .filter(({ kind }) => kind !== 'code')
    .flatMap(({ number, text }) =>
      Array.from(text.matchAll(/`([^`]+)`/g), ([, code = '']) => ({ number, code }))
    )
  const inBlocks = blocks
    .filter(({ mark }) => mark === 'not-run')
    .flatMap(({ line, lines: typed }) =>
      typed
        .join('\n')
        .replaceAll('\\\n', ' ')
        .split('\n')
        .map(code => ({ number: line, code: code.replace(/ +#.*$/, '') }))
    )
  return [...inText, ...inBlocks]
    .filter(({ code }) => PROGRAMS.test(code))
    .map(({ number, code }) => ({ where: `${path}:${number} ${code}`, words: code.split(/ +/) }))
}

/** The scripts of package.json, by name. */
export function readScripts(): Readonly<Record<string, string | undefined>> {
  const text = readFileSync(repositoryPath('package.json'), 'utf8')
  return (JSON.parse(text) as { readonly scripts: Record<string, string> }).scripts
}
