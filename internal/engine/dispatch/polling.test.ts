/**
 * A second system on the same port: reminders, asked one by one until each has its final
 * answer. It uses no HTTP, but covers every answer of a polled service.
 */
import t, { type Test } from 'tap'
import { createManualClock } from '../../lab/testing/manual-clock.js'
import { MemoryLanes } from '../../lab/testing/memory-dispatch.js'
import { SILENT_OBSERVER } from '../../lab/testing/silent-observer.js'
import type { Attempt, Dispatch, DueDuty, FoundLane, LaneVerdict } from './dispatch.js'
import { Dispatcher } from './dispatcher.js'

interface Reminder extends DueDuty {
  /** How it ended; null while it is asked. */
  readonly answer: string | null
  readonly dueAtMs: number
}

/**
 * What the service says: the final answer, not yet, slow down, never, or nothing at all.
 */
type Said =
  | { readonly kind: 'final'; readonly answer: string }
  | { readonly kind: 'not-yet' }
  | { readonly kind: 'slow-down'; readonly forMs: number }
  | { readonly kind: 'never' }
  | { readonly kind: 'down' }

/** All reminders go to one service, so they are one lane. */
const SERVICE = 'service'
const WELL: LaneVerdict = { kind: 'well', restMs: 0 }
const POLL_EVERY_MS = 1_000

function attemptOf(said: Said, duty: Reminder): Attempt<string> {
  switch (said.kind) {
    case 'final':
      return { result: said.answer, duty: { kind: 'done' }, lane: WELL }
    case 'never':
      return { result: 'never', duty: { kind: 'give-up' }, lane: WELL }
    case 'not-yet': {
      const afterMs = POLL_EVERY_MS * 2 ** duty.attempts
      return { result: '', duty: { kind: 'again', afterMs }, lane: WELL }
    }
    case 'slow-down':
      return {
        result: '',
        duty: { kind: 'again', afterMs: said.forMs },
        lane: { kind: 'well', restMs: said.forMs }
      }
    case 'down':
      return {
        result: '',
        duty: { kind: 'again', afterMs: POLL_EVERY_MS },
        lane: { kind: 'failing', restMs: 0 }
      }
  }
}

/** Processes that poll the service side by side, on one store. */
function setup(t: Test, say: (id: string, nth: number) => Said, processes = 1) {
  const clock = createManualClock()
  const lanes = new MemoryLanes(clock)
  const reminders = new Map<string, Reminder>()
  const asked: { readonly id: string; readonly atMs: number }[] = []
  const record = { pausedUntilMs: 0, circuitOpened: 0, isFailing: false, isDisabled: false }
  const isDue = ({ answer, dueAtMs }: Reminder): boolean =>
    answer === null && dueAtMs <= clock.monotonicMs()
  const isOpen = (): boolean => !record.isDisabled && record.pausedUntilMs <= clock.monotonicMs()
  const dispatch: Dispatch<string, Reminder, string> = {
    chores: [],
    async wakeDue() {
      if (!isOpen() || ![...reminders.values()].some(isDue)) return 0
      lanes.wake([SERVICE])
      return 1
    },
    async find(): Promise<FoundLane<string> | null> {
      if (!isOpen()) return null
      return {
        isOrdered: false,
        maxConcurrency: 2,
        maxPerSecond: null,
        failingForMs: record.isFailing ? 0 : null,
        circuitOpened: record.circuitOpened,
        version: '1',
        open: () => SERVICE
      }
    },
    due: async (_, limit, exceptIds) =>
      [...reminders.values()]
        .filter(reminder => isDue(reminder) && !exceptIds.includes(reminder.id))
        .slice(0, limit),
    async attempt(_, reminder) {
      asked.push({ id: reminder.id, atMs: clock.monotonicMs() })
      await new Promise<void>(resolve => clock.after(1, resolve))
      return attemptOf(say(reminder.id, asked.length), reminder)
    },
    async settle(outcomes) {
      for (const { dutyId, attempt, result, fate } of outcomes) {
        const reminder = reminders.get(dutyId)!
        reminders.set(dutyId, {
          ...reminder,
          attempts: attempt,
          answer: 'inMs' in fate ? null : result,
          dueAtMs: 'inMs' in fate ? clock.monotonicMs() + fate.inMs : reminder.dueAtMs
        })
      }
    },
    async changeLane(_, change) {
      record.isFailing = change.kind === 'failing'
      if (change.kind === 'disabled') record.isDisabled = true
      if (change.kind !== 'paused') return
      record.pausedUntilMs = clock.monotonicMs() + change.forMs
      record.circuitOpened = change.circuitOpened
    }
  }
  for (let process = 0; process < processes; process++) {
    const dispatcher = new Dispatcher({
      dispatch,
      lanes,
      clock,
      random: () => 0.5,
      schedule: [],
      disableAfterMs: Number.POSITIVE_INFINITY,
      maxLanes: 1,
      renewEveryMs: 10_000,
      observer: { ...SILENT_OBSERVER, failed: (step, error) => t.fail(`${step}: ${String(error)}`) }
    })
    t.teardown(async () => {
      const stopped = dispatcher.stop(0, () => undefined)
      await clock.advanceAsync(1_000)
      await stopped
    })
  }
  const remind = (...ids: readonly string[]): void => {
    for (const id of ids)
      reminders.set(id, { id, attempts: 0, scheduled: 0, answer: null, dueAtMs: 0 })
  }
  const answers = () => [...reminders.values()].map(({ answer }) => answer)
  return { clock, remind, asked, answers, record }
}

t.test('a reminder is asked until it has its final answer, ever more rarely', async t => {
  const { clock, remind, asked, answers } = setup(t, (_, nth) =>
    nth < 5 ? { kind: 'not-yet' } : { kind: 'final', answer: 'yes' }
  )
  remind('a')
  await clock.advanceAsync(60_000)
  t.same(answers(), ['yes'])
  t.equal(asked.length, 5)
  const waits = asked.slice(1).map(({ atMs }, n) => atMs - (asked[n]?.atMs ?? 0))
  // The dispatcher looks for due reminders each second.
  for (const [n, longerMs] of [1_000, 2_000, 4_000, 8_000].entries())
    t.ok(waits[n]! >= longerMs && waits[n]! < longerMs + 1_600, `${waits[n]} ms`)
})

t.test('each reminder ends on its own: a refused one does not stop the others', async t => {
  const says: Readonly<Record<string, Said>> = {
    a: { kind: 'final', answer: 'yes' },
    b: { kind: 'never' },
    c: { kind: 'not-yet' },
    d: { kind: 'final', answer: 'no' }
  }
  const { clock, remind, answers } = setup(t, id => says[id]!)
  remind('a', 'b', 'c', 'd')
  await clock.advanceAsync(2_000)
  t.same(answers(), ['yes', 'never', null, 'no'])
})

t.test('when asked to slow down, every process leaves the service alone for that long', async t => {
  let isBusy = true
  const { clock, remind, asked, answers, record } = setup(
    t,
    () => (isBusy ? { kind: 'slow-down', forMs: 60_000 } : { kind: 'final', answer: 'yes' }),
    3
  )
  remind(...Array.from({ length: 50 }, (_, n) => String(n)))
  await clock.advanceAsync(59_000)
  t.ok(asked.length <= 2, `${asked.length} asked, those that were under way`)
  t.equal(record.circuitOpened, 0, 'that is not a failure')
  isBusy = false
  await clock.advanceAsync(5_000)
  t.ok(answers().every(answer => answer === 'yes'))
})

t.test('a service that is down is asked with pauses, and no reminder is given up', async t => {
  let isDown = true
  const { clock, remind, asked, answers, record } = setup(t, () =>
    isDown ? { kind: 'down' } : { kind: 'final', answer: 'yes' }
  )
  remind(...Array.from({ length: 20 }, (_, n) => String(n)))
  await clock.advanceAsync(600_000)
  t.ok(record.circuitOpened > 1)
  t.ok(asked.length < 30, `${asked.length} asked in ten minutes`)
  t.ok(answers().every(answer => answer === null))
  isDown = false
  await clock.advanceAsync(301_000)
  t.ok(answers().every(answer => answer === 'yes'))
  t.equal(record.isDisabled, false)
})
