import t from 'tap'
import { createManualClock } from '../../lab/testing/manual-clock.js'
import { Readiness } from './readiness.js'

const WELL = { problem: null }
const setup = () => {
  const clock = createManualClock()
  const readiness = new Readiness<{ readonly problem: string | null }>(
    clock,
    ({ problem }) => problem
  )
  const ask = async (): Promise<unknown> => JSON.parse((await readiness.answer()).body)
  return { clock, readiness, ask }
}

t.test('it is not ready before workers run, and says what it is doing', async t => {
  const { readiness, ask } = setup()
  t.same(await ask(), { ready: false, reasons: ['starting'] })
  readiness.reason = 'migrating the database'
  t.same(await ask(), { ready: false, reasons: ['migrating the database'] })
  t.equal((await readiness.answer()).status, 503)
})

t.test('one worker that works is enough', async t => {
  const { readiness, ask } = setup()
  readiness.watch(() => Promise.resolve())
  t.same(await ask(), { ready: false, reasons: ['no worker has reported yet'] })
  readiness.reported(1, WELL)
  readiness.reported(2, { problem: 'waits for the database' })
  t.same(await ask(), { ready: true, reasons: [] })
  t.equal((await readiness.answer()).status, 200)
  readiness.forget(1)
  t.same(await ask(), { ready: false, reasons: ['worker 2: waits for the database'] })
})

t.test('a blocked worker, one with a problem and a failing database are named', async t => {
  const { clock, readiness, ask } = setup()
  let problem = ''
  readiness.watch(() => (problem === '' ? Promise.resolve() : Promise.reject(new Error(problem))))
  readiness.reported(1, { problem: 'has nothing to do' })
  t.same(await ask(), { ready: false, reasons: ['worker 1: has nothing to do'] })
  readiness.reported(1, WELL)
  clock.advance(5_000)
  t.same(await ask(), { ready: true, reasons: [] })
  clock.advance(1)
  t.same(await ask(), { ready: false, reasons: ['worker 1: has not reported for 5 s'] })
  problem = 'the server is in read-only mode'
  clock.advance(1_001)
  readiness.reported(1, WELL)
  t.same(await ask(), { ready: false, reasons: ['database: the server is in read-only mode'] })
})

t.test('all requests within a second share one probe', async t => {
  const { clock, readiness, ask } = setup()
  let probes = 0
  readiness.watch(async () => void (probes += 1))
  await Promise.all([ask(), ask()])
  clock.advance(1_000)
  await ask()
  t.equal(probes, 1)
  clock.advance(1)
  await ask()
  t.equal(probes, 2)
})
