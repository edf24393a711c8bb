/**
 * Checks commands that the manual only mentions (manual.long.test.ts runs its examples).
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { type MentionedCommand, mentionedCommands, readScripts } from '../testing/manual.js'
import { exists, listFiles, readPage, repositoryPath } from '../testing/markdown.js'

const scripts = readScripts()
const pages = listFiles().filter(file => file.endsWith('.md'))
const commands = pages.flatMap(path => mentionedCommands(readPage(path)))
const without = (wrong: (command: MentionedCommand) => readonly string[]): readonly string[] =>
  commands.flatMap(command => wrong(command).map(what => `${command.where}: ${what}`))

t.test('files and psql variables of mentioned commands exist', async t => {
  t.ok(commands.length > 50)
  const wrong = without(({ words }) => {
    const files = words.filter(word => /^(deployments\/|\.env-|internal\/)[^*]*$/.test(word))
    const missing = files.filter(file => !exists(file))
    if (words[0] !== 'psql' || missing.length > 0) return missing
    const script = files.map(file => readFileSync(repositoryPath(file), 'utf8')).join('\n')
    const variables = words.flatMap(word => /^(\w+)=/.exec(word)?.[1] ?? [])
    return variables.filter(name => !script.includes(`:'${name}'`))
  })
  t.same(wrong, [])
})

t.test('mentioned scripts and programs exist', async t => {
  const wrong = without(({ words }) => {
    const program = programOf(words)
    if (program === null) return ['no such script']
    return isOurs(program) && !exists(program.replace('dist/', '')) ? ['no such program'] : []
  })
  t.same(wrong, [])
})

t.test('each option of a mentioned command is in its help', async t => {
  const helps = new Map<string, string>()
  function helpOf(program: string, group: readonly string[]): string {
    const key = [program, ...group].join(' ')
    const help =
      helps.get(key) ??
      execFileSync(process.execPath, [repositoryPath(program), ...group, '--help'], {
        encoding: 'utf8'
      })
    helps.set(key, help)
    return help
  }
  const wrong = without(({ words }) => {
    const program = programOf(words)
    if (program === null || !isOurs(program)) return []
    const options = words.flatMap(word => /^--[a-z][\w-]*/.exec(word)?.[0] ?? [])
    if (options.length === 0 || options.includes('--help')) return []
    const isAdmin = program === 'dist/cmd/admin'
    const group = isAdmin ? words.slice(2, 4).filter(word => /^[a-z]/.test(word)) : []
    const help = helpOf(program, group)
    return options.filter(option => !help.includes(option))
  })
  t.same(wrong, [])
})

const isOurs = (program: string): boolean => program.startsWith('dist/')

/** What a command starts: our program, another one, or null for an unknown script. */
function programOf([first = '', ...rest]: readonly string[]): string | null {
  if (first !== 'npm') return first === 'node' ? (rest[0] ?? '') : first
  const [verb = '', ...words] = rest
  if (verb !== 'run') return verb === 'install' ? verb : (scripts[verb] ?? null)
  const script = scripts[words.find(word => word !== '-s') ?? '']
  return script === undefined ? null : script.replace(/^node /, '')
}
