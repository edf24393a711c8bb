import { PassThrough } from 'node:stream'
import t from 'tap'
import { createLetterRecords, LETTER_COMMANDS } from '../../lab/testing/letters.js'
import { createManualClock } from '../../lab/testing/manual-clock.js'
import { bindCommands, type CommandTools } from './command.js'
import { parseCommandLine } from './command-line.js'
import { ArgumentsError } from './flags.js'
import type { CommandProgram } from './help.js'
import { createOutput } from './output.js'

const PROGRAM: CommandProgram<CommandTools> = {
  name: 'post',
  introduction: `Letters. ${'And more. '.repeat(20).trim()}`,
  conventions: 'Times are UTC.',
  exitCodes: 'Exit code 0: done.',
  commands: bindCommands(LETTER_COMMANDS, () => Promise.resolve(0))
}
const parse = (...args: readonly string[]) => parseCommandLine(args, PROGRAM, 0)
const problems = (...args: readonly string[]): readonly string[] => {
  try {
    parse(...args)
    return []
  } catch (error) {
    if (!(error instanceof ArgumentsError)) throw error
    return error.problems
  }
}
const help = (...args: readonly string[]): string => {
  const line = parse(...args)
  return line.kind === 'help' ? line.text : ''
}

t.test('the help is built from the texts of the program and its commands', async t => {
  const text = help('--help')
  t.match(text, /^Letters\. (?:And more\. ?)+\n/)
  t.match(text, '  post COMMAND [options]\n\n  refused-letters  Letters that were refused\n')
  t.match(text, /Times are UTC\.\nExit code 0: done\.\n$/)
  t.ok(text.split('\n').every(line => line.length <= 110))
  t.equal(help('help'), text)
  t.match(help('refused-letters', '-h'), '  post refused-letters ls --sender anna\n')
  t.match(
    help('refused-letters', 'ls', '--help'),
    /^ {2}--sender NAME +only those of this sender$/m
  )
  t.match(help('count', '--help'), 'Example\n  post count\n')
})

t.test('all wrong words and options are named, with what was probably meant', async t => {
  t.same(problems(), ['a command is missing: refused-letters, count'])
  t.match(problems('refused-leters'), [
    '"refused-leters" is not a command, did you mean refused-letters?'
  ])
  t.match(problems('refused-letters', 'shwo'), [
    'is not a command of refused-letters, did you mean show?'
  ])
  t.match(problems('refused-letters', 'ls', '--sendr', 'a', '--reason', 'no-stmp'), [
    /--sendr .* --sender\?/,
    'a is not understood',
    /"no-stmp" is not a reason, did you mean no-stamp\?/
  ])
})

t.test('a bound command opens its context when it starts its work, not before', async t => {
  const opened: string[] = []
  const records = createLetterRecords()
  records.refuse('a letter')
  const commands = bindCommands(LETTER_COMMANDS, async (work, tools) => {
    opened.push('opened')
    const queues = () => Promise.reject(new Error('a count needs no queue'))
    const code = await work({ records, queues, clock: createManualClock(), ...tools })
    opened.push('closed')
    return code
  })
  const line = parseCommandLine(['count'], { ...PROGRAM, commands }, 0)
  t.same(opened, [])
  if (line.kind === 'help') throw new Error('no help was asked for')
  const results = new PassThrough()
  const output = createOutput(results, new PassThrough())
  t.equal(await line.work({ output, signal: new AbortController().signal }), 0)
  t.equal(String(results.read()), '1\n')
  t.same(opened, ['opened', 'closed'])
})
