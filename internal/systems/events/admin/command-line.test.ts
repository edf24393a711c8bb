import t from 'tap'
import { parseCommandLine } from '../../../engine/cli/command-line.js'
import { ArgumentsError } from '../../../engine/cli/flags.js'
import { ADMIN_COMMANDS } from './commands.js'

const PROGRAM = {
  name: 'admin',
  introduction: 'What there is.',
  conventions: '',
  exitCodes: '',
  commands: ADMIN_COMMANDS
}
const NOW_MS = Date.UTC(2026, 0, 31)
const parse = (line: string) =>
  parseCommandLine(line === '' ? [] : line.split(' '), PROGRAM, NOW_MS)
const problems = (line: string): string => {
  try {
    parse(line)
    return ''
  } catch (error) {
    if (!(error instanceof ArgumentsError)) throw error
    return error.problems.join('\n')
  }
}

t.test('every command is understood, with the options that its help names', async t => {
  const lines = [
    'rejections ls',
    'rejections ls --client a --event-type b --reason not-json --since 2h --limit 5 --open --json',
    'rejections show id',
    'rejections redrive id --rate 10/s --limit 5 --dry-run --again --json',
    'rejections redrive id other',
    'rejections redrive --all --rate 0.5',
    'rejections export --out file --client a',
    'dead-letters ls --older-than 7d',
    'dead-letters show id',
    'dead-letters redrive --client a',
    'dead-letters purge --all --yes',
    'dead-letters purge --all --dry-run',
    'trace client-1 id',
    'trace --queue-message id --dead-letters --json'
  ]
  for (const line of lines) t.equal(problems(line), '', line)
})

t.test('all mistakes are named together, with the word that was probably meant', async t => {
  const rows: readonly (readonly [line: string, want: readonly RegExp[]])[] = [
    [
      '',
      [
        /a command is missing: clients, event-types, schemas, rejections, dead-letters, endpoints, deliveries, trace/
      ]
    ],
    ['rejection ls', [/"rejection" is not a command, did you mean rejections\?/]],
    ['rejections', [/a command of rejections is missing: ls, show, redrive, export/]],
    ['rejections redirve', [/"redirve" is not a command of rejections, did you mean redrive\?/]],
    ['--json', [/"--json" is not a command/]],
    [
      'rejections ls --clinet a --limt 5',
      [/--clinet is not an option of this program, did you mean --client\?/, /--limt .* --limit\?/]
    ],
    [
      'rejections ls --limit 0 --since soon',
      [/--limit must be a whole number from 1/, /--since must be a date/]
    ],
    ['rejections ls --reason not_json', [/"not_json" is not a reason, did you mean not-json\?/]],
    ['rejections ls --client', [/--client needs a value/]],
    ['rejections ls id', [/id is not understood/]],
    ['rejections show', [/QUEUE_MESSAGE_ID is missing/]],
    ['rejections show a b', [/b is not understood: that is one too many/]],
    ['rejections redrive', [/say which rejections to send: ids, a filter/]],
    ['rejections redrive --limit 5', [/say which rejections to send/]],
    ['rejections redrive --all --client a', [/exclude each other/]],
    ['rejections redrive id --rate fast', [/--rate must be a number per second such as 50\/s/]],
    ['rejections redrive id --rate 0', [/--rate must be/]],
    ['dead-letters redrive', [/say which dead letters to send/]],
    ['dead-letters purge --all', [/--yes is missing/]],
    ['dead-letters purge --yes', [/say which dead letters to delete/]],
    ['trace client-1', [/CLIENT and MESSAGE_ID are missing/]],
    ['trace client-1 id --queue-message q', [/exclude each other/]]
  ]
  for (const [line, want] of rows)
    for (const pattern of want) t.match(problems(line), pattern, line)
})

t.test('each group and each command explains itself with examples that it understands', async t => {
  const help = (line: string): string => {
    const command = parse(line)
    return command.kind === 'help' ? command.text : ''
  }
  t.match(
    help('--help'),
    /^ {2}rejections .*\n {2}dead-letters .*\n {2}endpoints .*\n {2}deliveries .*\n {2}trace /m
  )
  t.equal(help('help'), help('-h'))
  for (const group of ADMIN_COMMANDS) {
    const commands =
      'commands' in group
        ? group.commands.map(command => ({ words: `${group.name} ${command.name}`, command }))
        : []
    if ('commands' in group) t.match(help(`${group.name} --help`), group.summary)
    else commands.push({ words: group.name, command: group })
    for (const { words, command } of commands) {
      const text = help(`${words} --help`)
      t.match(text.replaceAll('\n', ' '), command.summary)
      t.match(text, /^Examples?$/m)
      const examples = new Set(command.examples.map(line => `  ${PROGRAM.name} ${line}`))
      for (const option of Object.keys(command.options)) t.match(text, `--${option}`, words)
      t.ok(
        text.split('\n').every(line => line.length <= 110 || examples.has(line)),
        `${words}: no line is too long`
      )
      for (const example of command.examples)
        t.equal(problems(example.replace(/ \|.*$/, '')), '', example)
    }
  }
})
