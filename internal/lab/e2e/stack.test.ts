import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { isAlive, type Program, startProgram, temporaryDirectory } from '../testing/programs.js'
import { until } from '../testing/until.js'

const dataDir = join(temporaryDirectory(t), 'data')
const env = {
  DATA_DIR: dataDir,
  EMBEDDED_POSTGRES_PORT: '0',
  EMBEDDED_SQS_PORT: '0',
  SENDER_METRICS_PORT: '0',
  PRODUCERS_FAKE_TIMEOUT: '10',
  WORKERS: '1',
  WAIT_TIME_S: '1'
}

/** Of an embedded service, by its record. */
function pidOf(service: 'postgres' | 'sqs'): number {
  const text = readFileSync(join(dataDir, `${service}.json`), 'utf8')
  return (JSON.parse(text) as { readonly pid: number }).pid
}

/**
 * Pids of everything below the stack: services by their records, programs by their logs.
 */
function pidsBelow(stack: Program): number[] {
  const log = readFileSync(join(dataDir, 'logs', 'processor.log'), 'utf8')
  const workers = Array.from(log.matchAll(/"worker":(\d+)/g), ([, pid]) => Number(pid))
  const programs = Array.from(stack.output.matchAll(/pid (\d+)/g), ([, pid]) => Number(pid))
  return [pidOf('postgres'), pidOf('sqs'), ...workers, ...programs]
}

const countOf = async (statement: string): Promise<number> => {
  const sql = startProgram(t, 'sql', { DATA_DIR: dataDir }, [statement])
  t.equal(await sql.exited, 0, sql.output)
  return Number(/^(\d+)$/m.exec(sql.output)?.[1])
}

t.test('npm start brings everything up, shows what happens, and Ctrl-C ends all of it', async t => {
  const stack = startProgram(t, 'stack', env)
  await stack.until('it shows a line with stored events', () =>
    /received [1-9][\d,]* · stored [1-9]/.test(stack.output)
  )
  await stack.until('and delivered ones', () => / · delivered [1-9]/.test(stack.output))
  const received = readFileSync(join(dataDir, 'logs', 'recipient.log'), 'utf8')
  t.match(received, '"checking":true')
  t.match(received, /"webhookId":"msg_/)
  t.notMatch(received, '"valid":false')
  t.match(stack.output, 'SELECT count(*) FROM message')
  const metricsUrl = /http:\S+\/metrics/.exec(stack.output)?.[0] ?? ''
  t.match(await (await fetch(metricsUrl)).text(), /event_process_stored_total \d+/)
  const rows = await countOf('SELECT count(*) FROM message')
  t.ok(rows > 0)
  const pids = pidsBelow(stack)
  t.ok(pids.length >= 3)

  t.equal(await stack.end('SIGINT'), 0)
  t.match(stack.output, /Stopped\. received/)
  t.same(pids.filter(isAlive), [], 'no orphan')

  const again = startProgram(t, 'stack', env)
  await again.until('it runs again', () => /stored [1-9]/.test(again.output))
  t.ok(
    (await countOf('SELECT count(*) FROM message')) > rows,
    'the rows of the first start are still there'
  )
  t.equal(await again.end('SIGTERM'), 0)
})

t.test(
  'when npm start is killed with -9 its programs end, and the next start cleans up',
  async t => {
    const stack = startProgram(t, 'stack', env)
    await stack.until('it runs', () => /stored [1-9]/.test(stack.output))
    const pids = pidsBelow(stack)
    const postgres = pidOf('postgres')
    await stack.end('SIGKILL')
    await until('all but PostgreSQL have ended', () =>
      pids.filter(pid => pid !== postgres).every(pid => !isAlive(pid))
    )
    const next = startProgram(t, 'stack', env)
    await next.until('it runs', () => /stored [1-9]/.test(next.output))
    t.equal(await next.end('SIGINT'), 0)
    t.notOk(isAlive(postgres))
  }
)

t.test('a taken port: another one is chosen and said, unless the user chose it', async t => {
  const occupant = createServer()
  await new Promise<void>(resolve =>
    occupant.listen(9_464, '127.0.0.1', resolve).once('error', () => resolve())
  )
  t.teardown(() => occupant.close())
  const stack = startProgram(t, 'stack', env)
  await stack.until('it runs', () => /stored [1-9]/.test(stack.output))
  t.match(
    stack.output,
    /Port 9464 is taken; \/metrics is on \d+ instead \(METRICS_PORT changes it\)/
  )
  t.equal(await stack.end('SIGINT'), 0)

  const chosen = startProgram(t, 'stack', { ...env, METRICS_PORT: '9464' })
  t.equal(await chosen.exited, 1)
  t.match(chosen.output, 'set METRICS_PORT to another one')
})

t.test('--only starts one system; one that is not there is refused with the nearest', async t => {
  const wrong = startProgram(t, 'stack', env, ['--only', 'event'])
  t.equal(await wrong.exited, 1)
  t.match(wrong.output, '"event" is no system, did you mean events? (there are events)')
  const stack = startProgram(t, 'stack', env, ['--only', 'events'])
  await stack.until('it runs', () => /stored [1-9]/.test(stack.output))
  t.equal(await stack.end('SIGINT'), 0)
})
