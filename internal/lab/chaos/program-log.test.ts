import t from 'tap'
import { ProgramLog } from './program-log.js'

const log = (...lines: readonly (object | string)[]): ProgramLog => {
  const result = new ProgramLog()
  for (const line of lines)
    result.add(typeof line === 'string' ? line : JSON.stringify({ name: 'processor', ...line }))
  return result
}
const started = (worker: number, time: number) => ({ msg: 'worker started', worker, time })
const died = (worker: number, time: number, restartInMs: number) => ({
  msg: 'worker died; starting another',
  worker,
  how: 'SIGKILL',
  restartInMs,
  time
})
const receiving = (worker: number, time: number) => ({
  msg: 'receiving',
  name: `worker ${worker}`,
  time
})

t.test('workers live from their start to their death', async t => {
  const {
    live,
    ready: able,
    metricsUrl,
    deaths
  } = log(
    { msg: 'listening', metrics: 'http://127.0.0.1:1/metrics', time: 1 },
    started(11, 2),
    started(12, 2),
    receiving(11, 3),
    receiving(12, 4),
    died(11, 5, 700)
  )
  t.same(live, [12])
  t.same([...able], [12])
  t.equal(metricsUrl, 'http://127.0.0.1:1/metrics')
  t.same(deaths, [{ pid: 11, how: 'SIGKILL' }])
})

t.test('a worker of the sender is ready when it sends', async t => {
  t.same(
    [...log(started(11, 1), { msg: 'sending', name: 'sender worker 11', time: 2 }).ready],
    [11]
  )
})

t.test('a replacement belongs to the death whose restart is due, not to the first one', async t => {
  const { replacements } = log(
    started(11, 0),
    started(12, 0),
    died(11, 1_000, 4_000),
    died(12, 2_000, 600),
    started(13, 2_610),
    receiving(13, 3_100),
    started(14, 4_990),
    died(14, 5_001, 800)
  )
  t.same(replacements, [
    { diedAtMs: 2_000, restartInMs: 600, startedAtMs: 2_610, readyAtMs: 3_100 },
    { diedAtMs: 1_000, restartInMs: 4_000, startedAtMs: 4_990, readyAtMs: null }
  ])
})

t.test('a worker that starts before any replacement is due replaces nobody', async t => {
  t.same(log(started(11, 0), died(11, 100, 700), started(12, 120)).replacements, [])
})

t.test('the start ends with the first ready worker', async t => {
  t.equal(log(started(11, 1)).firstReadyAtMs, null)
  t.equal(log(started(11, 1), receiving(11, 5), receiving(12, 9)).firstReadyAtMs, 5)
})

t.test(
  'a foreign line is a complaint, except Node’s stack when a primary dies in a fork',
  async t => {
    t.equal(log(started(11, 1), '').complaint, null)
    t.equal(log('TypeError: x', '    at y').complaint, 'TypeError: x\n    at y')
    t.equal(
      log('Error: write EPIPE', '    at initializeClusterIPC (node:internal)').complaint,
      null
    )
  }
)
