/** One start after another, each of eight processes. */
import { createServer } from 'node:http'
import t from 'tap'
import { isRunning } from '../programs/processes.js'
import type { Program } from '../testing/programs.js'
import { createStackBench } from '../testing/stack-program.js'
import { until } from '../testing/until.js'

const bench = createStackBench(t)
const untilItRuns = (stack: Program): Promise<void> =>
  stack.until('it runs', () => /stored [1-9]/.test(stack.output))

t.test('rows survive until the next start, and SIGTERM also ends it', async t => {
  const first = bench.start(t)
  await untilItRuns(first)
  t.equal(await first.end('SIGTERM'), 0)
  const stored = Number(
    /Stopped\. received .*? stored ([\d,]+)/.exec(first.output)?.[1]?.replaceAll(',', '')
  )
  t.ok(stored > 0)
  const second = bench.start(t)
  await untilItRuns(second)
  t.ok((await bench.count(t, 'SELECT count(*) FROM message')) > stored)
  t.equal(await second.end('SIGTERM'), 0)
})

t.test(
  'when npm start is killed with -9 its programs exit, and the next start cleans up',
  async t => {
    const stack = bench.start(t)
    await untilItRuns(stack)
    const pids = bench.pidsBelow(stack)
    const postgres = bench.postgresPid()
    await stack.end('SIGKILL')
    await until('all but PostgreSQL have ended', () =>
      pids.filter(pid => pid !== postgres).every(pid => !isRunning(pid))
    )
    const next = bench.start(t)
    await untilItRuns(next)
    t.equal(await next.end('SIGINT'), 0)
    t.notOk(isRunning(postgres))
  }
)

t.test('a taken port is replaced, and reported, unless the user chose it', async t => {
  const occupant = createServer()
  await new Promise<void>(resolve =>
    occupant.listen(9_464, '127.0.0.1', resolve).once('error', () => resolve())
  )
  t.teardown(() => occupant.close())
  const stack = bench.start(t)
  await untilItRuns(stack)
  t.match(
    stack.output,
    /Port 9464 is taken; \/metrics is on \d+ instead \(METRICS_PORT changes it\)/
  )
  t.equal(await stack.end('SIGINT'), 0)

  const chosen = bench.start(t, { METRICS_PORT: '9464' })
  t.equal(await chosen.exited, 1)
  t.match(chosen.output, 'set METRICS_PORT to another one')
})

t.test('--only starts one system; an unknown one is refused with the nearest name', async t => {
  const wrong = bench.start(t, {}, ['--only', 'event'])
  t.equal(await wrong.exited, 1)
  t.match(wrong.output, '"event" is not a system, did you mean events? (the systems: events)')
  const stack = bench.start(t, {}, ['--only', 'events'])
  await untilItRuns(stack)
  t.equal(await stack.end('SIGINT'), 0)
})
