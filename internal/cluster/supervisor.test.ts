import t, { type Test } from 'tap'
import { createManualClock } from '../testing/manual-clock.js'
import { Supervisor, type WorkerProcess } from './supervisor.js'

interface FakeWorker extends WorkerProcess {
  readonly told: string[]
  exit(how: string): void
}

function setup(t: Test, workers: number) {
  const clock = createManualClock()
  const forked: FakeWorker[] = []
  const exits: (readonly [id: number, restartInMs: number | null])[] = []
  const supervisor = new Supervisor({
    workers,
    clock,
    random: () => 1,
    fork: () => {
      let exit = (_how: string): void => undefined
      const told: string[] = []
      const worker: FakeWorker = {
        id: forked.length,
        pid: 1_000 + forked.length,
        told,
        send: message => told.push(message.kind),
        kill: () => {
          told.push('kill')
          exit('SIGKILL')
        },
        onExit: listener => (exit = listener),
        exit: how => exit(how)
      }
      forked.push(worker)
      return worker
    },
    onStarted: () => undefined,
    onExited: async (worker, _how, restartInMs) => void exits.push([worker.id, restartInMs])
  })
  t.teardown(() => clock.advance(1))
  return { clock, forked, exits, supervisor }
}

t.test('as many workers as asked for are started, and a dead one is replaced after a second', async t => {
  const { clock, forked, exits } = setup(t, 2)
  t.equal(forked.length, 2)
  forked[0]?.exit('SIGKILL')
  t.same(exits, [[0, 1_000]])
  clock.advance(999)
  t.equal(forked.length, 2)
  clock.advance(1)
  t.equal(forked.length, 3)
})

t.test('a crash loop waits twice as long each time, up to a minute; a worker that lived a while starts it anew', async t => {
  const { clock, forked, exits } = setup(t, 1)
  for (let crash = 0; crash < 8; crash++) {
    forked.at(-1)?.exit('exit code 1')
    clock.advance(60_000 - (crash < 7 ? 60_000 - (exits.at(-1)?.[1] ?? 0) : 0))
  }
  t.same(
    exits.map(([, delayMs]) => delayMs),
    [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]
  )
  clock.advance(30_000)
  forked.at(-1)?.exit('SIGKILL')
  t.equal(exits.at(-1)?.[1], 1_000)
})

t.test('stopping asks every worker, kills what is left at the deadline, and restarts none', async t => {
  const { clock, forked, exits, supervisor } = setup(t, 2)
  const stopped = supervisor.stop(5_000)
  t.same(
    forked.map(worker => worker.told),
    [['stop'], ['stop']]
  )
  forked[0]?.exit('exit code 0')
  clock.advance(5_000)
  await stopped
  t.same(forked[1]?.told, ['stop', 'kill'])
  t.same(exits, [
    [0, null],
    [1, null]
  ])
  clock.advance(120_000)
  t.equal(forked.length, 2)
})

t.test('a restart that was due is cancelled by the stop', async t => {
  const { clock, forked, supervisor } = setup(t, 1)
  forked[0]?.exit('SIGKILL')
  await supervisor.stop(5_000)
  clock.advance(10_000)
  t.equal(forked.length, 1)
})
