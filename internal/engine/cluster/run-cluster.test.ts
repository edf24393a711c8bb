import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { isRunning } from '../../lab/programs/processes.js'
import { type Program, startEntry } from '../../lab/testing/programs.js'
import { until } from '../../lab/testing/until.js'
import { readSamples, seriesOf } from '../observe/prometheus-text.js'

const ENTRY = fileURLToPath(
  new URL('../../../dist/internal/lab/testing/tiny-cluster-program.js', import.meta.url)
)

interface Tiny {
  readonly program: Program
  /** The messages of its log in order, its workers' included. */
  messages(): string[]
  /** The log lines with this message. */
  told(msg: string): Record<string, unknown>[]
  workers(): number[]
  get(path: string): Promise<string>
  sum(series: string): Promise<number | null>
}

function start(t: Test, env: Readonly<Record<string, string>> = {}): Tiny {
  const program = startEntry(t, { name: 'tiny cluster', entry: ENTRY, env })
  const told = (msg: string): Record<string, unknown>[] =>
    program.log.filter(line => line['msg'] === msg)
  const workers = (): number[] => told('worker started').map(line => Number(line['worker']))
  const get = async (path: string): Promise<string> =>
    (await fetch(new URL(path, String(told('listening')[0]?.['metrics'])))).text()
  t.teardown(async () => {
    program.child.kill('SIGKILL')
    for (const pid of workers()) if (isRunning(pid)) process.kill(pid, 'SIGKILL')
    await program.exited
  })
  return {
    program,
    told,
    workers,
    get,
    messages: () => program.log.map(({ msg }) => String(msg)),
    async sum(series) {
      const samples = readSamples(await get('/metrics'))
      return samples.find(sample => seriesOf(sample) === `tiny_${series}`)?.value ?? null
    }
  }
}

/** A program whose workers have weighed all their parcels. */
async function startWeighed(t: Test, env: Readonly<Record<string, string>> = {}): Promise<Tiny> {
  const tiny = start(t, env)
  await tiny.program.until('it listens', () => tiny.told('listening').length > 0)
  await tiny.program.until('all is weighed', async () => (await tiny.sum('parcels_total')) === 20)
  await tiny.program.until('both report', async () => (await tiny.sum('workers')) === 2)
  return tiny
}

t.test('two workers work, and a scrape has the sums of both', async t => {
  const tiny = await startWeighed(t)
  t.equal(await tiny.sum('sorted_total{size="small"}'), 10)
  t.equal(await tiny.sum('scales'), 2, 'the workers’ own metrics are added up')
  t.equal(await tiny.sum('worker_restarts_total'), 0)
  t.equal(await tiny.get('/livez'), 'alive\n')
  t.same(JSON.parse(await tiny.get('/readyz')), { ready: true, reasons: [] })
  t.same(
    tiny.told('weighing').map(({ parcel }) => parcel),
    ['a parcel', 'a parcel'],
    'with the environment that the primary gives them'
  )
  t.same(
    tiny.workers().map(pid => tiny.told('told').filter(line => line['worker'] === pid).length),
    [2, 2],
    'each gets the greeting and the change'
  )
})

t.test('a killed worker is replaced, and its sums stay', async t => {
  const tiny = await startWeighed(t)
  const [first = 0] = tiny.workers()
  process.kill(first, 'SIGKILL')
  await tiny.program.until('the next has weighed', async () => {
    return (await tiny.sum('parcels_total')) === 30
  })
  t.equal(tiny.workers().length, 3)
  t.equal(await tiny.sum('worker_restarts_total'), 1)
  t.match(tiny.told('worker died; starting another'), [{ worker: first, how: 'SIGKILL' }])
  t.same(
    tiny.told('heard the last of it').map(({ worker }) => worker),
    [first]
  )
  const last = tiny.workers().at(-1)
  t.same(
    tiny.told('told').flatMap(({ worker, grams }) => (worker === last ? [grams] : [])),
    [2],
    'its greeting is what is in force by then'
  )
})

t.test('the outcome that a dead worker did not report is looked up elsewhere', async t => {
  const tiny = start(t, { TROUBLE: 'announced', WORKERS: '1' })
  await tiny.program.until('it listens', () => tiny.told('listening').length > 0)
  await tiny.program.until('the next has weighed', async () => {
    return (await tiny.sum('parcels_total')) === 15
  })
  t.equal(await tiny.sum('sorted_total{size="large"}'), 8)
  t.same(
    tiny.told('asked for it').map(({ tx }) => tx),
    [`${tiny.workers()[0]}-5`]
  )
})

t.test('a worker that hangs is killed and replaced', async t => {
  const tiny = await startWeighed(t, { SPEED: '20' })
  const [first = 0] = tiny.workers()
  process.kill(first, 'SIGSTOP')
  await tiny.program.until('it is killed', () =>
    tiny
      .told('worker stopped reporting; killing it')
      .some(line => line['worker'] === first && Number(line['silentMs']) > 60_000)
  )
  await tiny.program.until('another is there', () => tiny.workers().length >= 3)
  t.notOk(isRunning(first))
})

t.test('a stop drains the workers, then closes what was opened, last first', async t => {
  const tiny = await startWeighed(t)
  t.equal(await tiny.program.end('SIGTERM'), 0)
  const ending = [
    'closed the first',
    'closed the second',
    'drained',
    'drained',
    'draining',
    'draining',
    'heard the last of it',
    'heard the last of it',
    'put away the scale',
    'put away the scale',
    'stopped',
    'stopping: no more parcels'
  ]
  // Primary and workers write to one pipe: only the order within each of them is sure.
  const messages = tiny.messages().filter(message => ending.includes(message))
  t.same(messages.toSorted(), ending)
  t.same(messages.slice(-3), ['closed the second', 'closed the first', 'stopped'])
  t.match(tiny.told('draining')[0], { withinMs: 8_500 })
  t.match(tiny.told('drained')[0], { parcels: 10 })
})

t.test('a worker that does not finish its drain in time is killed', async t => {
  const tiny = await startWeighed(t, { TROUBLE: 'stuck', SHUTDOWN_TIMEOUT_MS: '500' })
  t.equal(await tiny.program.end('SIGTERM'), 0)
  t.same(tiny.told('drained'), [])
  t.equal(tiny.messages().at(-1), 'stopped')
  t.notOk(tiny.workers().some(isRunning))
})

t.test('workers whose primary is gone drain and exit by themselves', async t => {
  const tiny = await startWeighed(t)
  // The output closes when the last process that holds it exits.
  t.equal(await tiny.program.end('SIGKILL'), 'SIGKILL')
  t.equal(tiny.told('drained').length, 2)
  t.equal(tiny.told('put away the scale').length, 2)
  await until('no worker is left', () => !tiny.workers().some(isRunning))
})

t.test('an orphan that cannot drain exits all the same', async t => {
  const tiny = await startWeighed(t, { TROUBLE: 'stuck', SHUTDOWN_TIMEOUT_MS: '500' })
  t.equal(await tiny.program.end('SIGKILL'), 'SIGKILL')
  t.equal(tiny.told('the primary is gone and draining takes too long: exiting').length, 2)
  await until('no worker is left', () => !tiny.workers().some(isRunning))
})

t.test('a failed preparation step is tried again, and the rest waits', async t => {
  const tiny = start(t, { TROUBLE: 'late' })
  await tiny.program.until('a worker weighs', () => tiny.told('weighing').length > 0)
  t.same(tiny.messages().slice(0, 5), [
    'listening',
    'cannot level the scales yet',
    'cannot level the scales yet',
    'dusted',
    'worker started'
  ])
  t.match(tiny.told('cannot level the scales yet'), [{ attempt: 1 }, { attempt: 2 }])
})

t.test('while preparing it is not ready, says why, and can be stopped', async t => {
  const tiny = start(t, { TROUBLE: 'never' })
  await tiny.program.until('it tries again', () => tiny.messages().length > 2)
  t.same(JSON.parse(await tiny.get('/readyz')), {
    ready: false,
    reasons: ['levelling the scales']
  })
  t.equal(await tiny.program.end('SIGTERM'), 0)
  t.same(tiny.workers(), [])
  t.same(tiny.messages().slice(-3), ['closed the second', 'closed the first', 'stopped'])
})

t.test('an expected error ends the start and closes what is open by then', async t => {
  const tiny = start(t, { TROUBLE: 'refused' })
  t.equal(await tiny.program.exited, 1)
  t.match(tiny.program.output, /^the scales are sold$/m)
  t.same(tiny.messages(), ['listening', 'closed the first', 'stopped'])
})

t.test('a taken port ends the start, and names the system’s own setting', async t => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const { program } = start(t, { TINY_METRICS_PORT: String(port) })
  t.equal(await program.exited, 1)
  t.match(program.output, 'is taken by another program: set TINY_METRICS_PORT to another one')
})
