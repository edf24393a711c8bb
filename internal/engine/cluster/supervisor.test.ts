import t, { type Test } from 'tap'
import { createManualClock } from '../../lab/testing/manual-clock.js'
import type { ChannelMessage } from './protocol.js'
import { Supervisor, type WorkerProcess } from './supervisor.js'

interface FakeWorker extends WorkerProcess<ChannelMessage, ChannelMessage> {
  readonly told: string[]
  say(kind: string): void
  exit(how: string): void
}

function setup(t: Test, workers: number) {
  const steps = createManualClock()
  let awayMs = 0
  const clock = {
    ...steps,
    monotonicMs: () => steps.monotonicMs() + awayMs,
    stand: (ms: number) => (awayMs += ms)
  }
  const forked: FakeWorker[] = []
  const exits: (readonly [id: number, restartInMs: number | null])[] = []
  const heard: (readonly [id: number, kind: string])[] = []
  const silent: (readonly [id: number, silentMs: number])[] = []
  const supervisor = new Supervisor({
    workers,
    clock,
    random: () => 1,
    fork: () => {
      let exit = (_how: string): void => undefined
      let hear = (_message: ChannelMessage): void => undefined
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
        onMessage: listener => (hear = listener),
        say: kind => hear({ kind }),
        onExit: listener => (exit = listener),
        exit: how => exit(how)
      }
      forked.push(worker)
      return worker
    },
    onStarted: () => undefined,
    onHeard: (id, { kind }) => heard.push([id, kind]),
    onSilent: (worker, silentMs) => silent.push([worker.id, silentMs]),
    onExited: async (worker, _how, restartInMs) => void exits.push([worker.id, restartInMs])
  })
  t.teardown(() => clock.advance(1))
  return { clock, forked, exits, heard, silent, supervisor }
}

t.test('the workers asked for are started, and a dead one is replaced after a second', async t => {
  const { clock, forked, exits } = setup(t, 2)
  t.equal(forked.length, 2)
  forked[0]?.exit('SIGKILL')
  t.same(exits, [[0, 1_000]])
  clock.advance(999)
  t.equal(forked.length, 2)
  clock.advance(1)
  t.equal(forked.length, 3)
})

t.test(
  'the wait of a crash loop doubles up to a minute; a worker that lasts resets it',
  async t => {
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
  }
)

t.test('a stop asks all workers, kills the rest at the deadline, and restarts none', async t => {
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

t.test('messages from a worker are passed on, and all workers are told at once', async t => {
  const { forked, heard, supervisor } = setup(t, 2)
  forked[1]?.say('news')
  forked[0]?.say('report')
  t.same(heard, [
    [1, 'news'],
    [0, 'report']
  ])
  supervisor.tell({ kind: 'changed' })
  t.same(
    forked.map(worker => worker.told),
    [['changed'], ['changed']]
  )
})

t.test('a stop cancels a restart that was due', async t => {
  const { clock, forked, supervisor } = setup(t, 1)
  forked[0]?.exit('SIGKILL')
  await supervisor.stop(5_000)
  clock.advance(10_000)
  t.equal(forked.length, 1)
})

t.test(
  'a worker silent for a minute is killed and replaced, but not one still starting',
  async t => {
    const { clock, forked, exits, silent } = setup(t, 2)
    forked[0]?.say('report')
    forked[1]?.say('something else')
    clock.advance(60_000)
    t.same(silent, [])
    clock.advance(5_000)
    t.same(silent, [[0, 65_000]])
    t.same(forked[0]?.told, ['kill'])
    t.same(exits, [[0, 1_000]])
    clock.advance(600_000)
    t.same(forked[1]?.told, [])
  }
)

t.test('a primary that stood still itself listens before it calls a worker silent', async t => {
  const { clock, forked, silent } = setup(t, 1)
  forked[0]?.say('report')
  clock.stand(120_000)
  clock.advance(65_000)
  t.same(silent, [])
  t.same(forked[0]?.told, [])
  clock.advance(5_000)
  t.equal(silent.length, 1)
})
