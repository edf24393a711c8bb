import t from 'tap'
import { createManualClock } from '../../lab/testing/manual-clock.js'
import { createReceiveProblem } from '../../systems/events/app/receive-problem.js'
import { Readiness } from './readiness.js'

const receiving = {
  isReceiving: true,
  gateReasons: [],
  sinceReceiveMs: 100,
  receiveProblem: null
} as const
const setup = () => {
  const clock = createManualClock()
  const readiness = new Readiness(clock, createReceiveProblem(20_000))
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

t.test('one worker that receives is enough', async t => {
  const { readiness, ask } = setup()
  readiness.watch(() => Promise.resolve())
  t.same(await ask(), { ready: false, reasons: ['no worker has reported yet'] })
  readiness.reported(1, receiving)
  readiness.reported(2, { ...receiving, isReceiving: false, gateReasons: ['database'] })
  t.same(await ask(), { ready: true, reasons: [] })
  t.equal((await readiness.answer()).status, 200)
  readiness.forget(1)
  t.same(await ask(), { ready: false, reasons: ['worker 2: waits for the database'] })
})

t.test('a blocked worker, a silent queue and a database that refuses are named', async t => {
  const { clock, readiness, ask } = setup()
  let problem = ''
  readiness.watch(() => (problem === '' ? Promise.resolve() : Promise.reject(new Error(problem))))
  readiness.reported(1, { ...receiving, sinceReceiveMs: 55_001 })
  t.same(await ask(), { ready: false, reasons: ['worker 1: the queue has not answered for 55 s'] })
  readiness.reported(1, { ...receiving, sinceReceiveMs: 55_000 })
  t.same(await ask(), { ready: true, reasons: [] })
  readiness.reported(1, { ...receiving, receiveProblem: 'ServiceUnavailable' })
  t.same(await ask(), { ready: false, reasons: ['worker 1: receives fail (ServiceUnavailable)'] })
  readiness.reported(1, receiving)
  clock.advance(5_001)
  t.same(await ask(), { ready: false, reasons: ['worker 1: has not reported for 5 s'] })
  problem = 'the server is in read-only mode'
  clock.advance(1_001)
  readiness.reported(1, receiving)
  t.same(await ask(), { ready: false, reasons: ['database: the server is in read-only mode'] })
})

t.test('a worker whose in-flight work is full is busy, not unready', async t => {
  const { readiness, ask } = setup()
  readiness.watch(() => Promise.resolve())
  readiness.reported(1, {
    isReceiving: false,
    gateReasons: ['in-flight-messages'],
    sinceReceiveMs: 90_000,
    receiveProblem: null
  })
  t.same(await ask(), { ready: true, reasons: [] })
})
