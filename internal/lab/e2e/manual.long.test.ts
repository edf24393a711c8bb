/**
 * Types the examples of the manual, page after page, into a shell while `npm start` runs.
 *
 * A stand-in for the AWS CLI sends the given messages; `npm run` starts the scripts of
 * package.json, without building first.
 */
import { readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { findFreePort } from '../../engine/embedded/port.js'
import { commandsOf, isAsShown, isQuestion, readScripts } from '../testing/manual.js'
import { listFiles, type MarkdownBlock, readPage, repositoryPath } from '../testing/markdown.js'
import { startProgram, temporaryDirectory } from '../testing/programs.js'
import { Shell } from '../testing/shell.js'
import { until } from '../testing/until.js'

/** These pages build on each other in this order; the others follow. */
const FIRST = ['send-events', 'clients-and-schemas', 'deliver', 'troubleshoot']
const QUESTION_LIMIT_MS = 30_000
/** This test itself, and what already runs. */
const UNDER_WAY = /^npm (start|test)\b/

const cwd = temporaryDirectory(t)
for (const name of ['dist', 'deployments', 'package.json'])
  symlinkSync(repositoryPath(name), join(cwd, name))
const dataDir = join(cwd, '.data')
const pages = listFiles().filter(file => file.endsWith('.md'))
const { HOME = '' } = process.env
/** Examples run on this Node, whatever the shell's own is. */
const PATH = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`
// The programs start some fifty times, and half of a start is compilation.
const NODE_COMPILE_CACHE = join(cwd, 'compiled')
const env = { PATH, HOME, NODE_COMPILE_CACHE, DATA_DIR: dataDir }

const AWS_STAND_IN = `
  const { values, positionals } = require('node:util').parseArgs({
    allowPositionals: true,
    options: { 'endpoint-url': { type: 'string' }, 'queue-url': { type: 'string' }, 'message-body': { type: 'string' } }
  })
  if (positionals.join(' ') !== 'sqs send-message') throw new Error('not stood in for: ' + positionals)
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_DEFAULT_REGION'])
    if (!process.env[name]) throw new Error(name + ' is missing')
  fetch(values['endpoint-url'], {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.SendMessage' },
    body: JSON.stringify({ QueueUrl: values['queue-url'], MessageBody: values['message-body'] })
  }).then(async answer => { if (!answer.ok) throw new Error(await answer.text()) })`

/** `npm run -s NAME -- ARGS` and `npm run NAME -- ARGS`. */
function npmStandIn(): string {
  const cases = Object.entries(readScripts())
    .filter(([, script = '']) => /^node dist\/cmd\/[\w-]+$/.test(script))
    .map(([name, script = '']) => `${name}) ${script} "$@" ;;`)
  return `npm() {
    [ "$1" = run ] || return 64; shift
    [ "$1" = -s ] && shift
    local name=$1; shift
    [ "$1" = -- ] && shift
    case $name in ${cases.join(' ')} *) return 64 ;; esac
  }`
}

t.test('each example of the manual prints the output shown', async t => {
  const stack = startProgram(t, 'stack', {
    ...env,
    EMBEDDED_POSTGRES_PORT: '0',
    EMBEDDED_SQS_PORT: '0',
    METRICS_PORT: '0',
    SENDER_METRICS_PORT: '0',
    PRODUCERS_FAKE_TIMEOUT: '500',
    WORKERS: '1',
    WAIT_TIME_S: '1'
  })
  await stack.until('rows come', () => /stored [1-9]/.test(stack.output))
  const sqs = JSON.parse(readFileSync(join(dataDir, 'sqs.json'), 'utf8')) as { port: number }
  const ports = [
    ['127.0.0.1:4566', `127.0.0.1:${sqs.port}`],
    ['8090', String(await findFreePort())]
  ] as const
  const here = (text: string): string =>
    ports.reduce((known, [shown, port]) => known.replaceAll(shown, port), text)
  const shell = new Shell(t, {
    cwd,
    env: { ...env, LOG_FORMAT: 'json', AWS_STAND_IN },
    preamble: here(`${npmStandIn()}
      aws() { node -e "$AWS_STAND_IN" -- "$@"; }
      awslocal() { aws --endpoint-url http://127.0.0.1:4566 "$@"; }`)
  })

  const schemaLooks = (): number =>
    readFileSync(join(dataDir, 'logs', 'processor.log'), 'utf8').split('payload schemas in force')
      .length

  async function isRight(block: MarkdownBlock): Promise<boolean> {
    if (block.language === 'sh') {
      const lines = block.lines.filter(line => !UNDER_WAY.test(line))
      const { output, exitCode } = await shell.run(here(lines.join('\n')))
      return t.equal(exitCode, 0, `${block.page}:${block.line}\n${output}`)
    }
    for (const { text, output: shown, where } of commandsOf(block)) {
      const looks = schemaLooks()
      let printed = ''
      const isSame = async (): Promise<boolean> => {
        printed = (await shell.run(here(text))).output
        return isAsShown(here(shown), printed, block.mark === 'varies')
      }
      const isDone = isQuestion(text)
        ? until(text, isSame, QUESTION_LIMIT_MS).then(
            () => true,
            () => false
          )
        : isSame()
      if (!t.ok(await isDone, `${where} ${text}`, { shown: here(shown), printed })) return false
      // The workers load it within a second; a reader types no faster.
      if (text.includes('schemas activate'))
        await until('the workers know the schema', () => schemaLooks() > looks, QUESTION_LIMIT_MS)
    }
    return true
  }

  const first = ['README.md', ...FIRST.map(name => `internal/docs/${name}.md`)]
  const others = pages.filter(path => !first.includes(path))
  const blocks = [...first, ...others.toSorted()]
    .flatMap(path => readPage(path).blocks)
    .filter(({ language, mark }) => ['console', 'sh'].includes(language) && mark !== 'not-run')
  t.ok(blocks.length > 15)
  // They build on each other: after a wrong one the rest proves nothing.
  for (const block of blocks) if (!(await isRight(block))) break
  t.equal(await stack.end('SIGINT'), 0, 'Ctrl-C ends all of it')
})
