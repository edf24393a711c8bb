import { getEventListeners } from 'node:events'
import t from 'tap'
import { createManualClock } from '../../lab/testing/manual-clock.js'
import { delay, onAbort, unlessAborted, untilAborted } from './interrupt.js'

t.test('a delay lasts its full time unless it is cut, and says which', async t => {
  const clock = createManualClock()
  const { signal } = new AbortController()
  const state = { ended: null as boolean | null }
  void delay(clock, 100, signal).then(whole => (state.ended = whole))
  await clock.advanceAsync(99)
  t.equal(state.ended, null)
  await clock.advanceAsync(1)
  t.equal(state.ended, true)

  const cut = new AbortController()
  const waiting = delay(clock, 100, cut.signal)
  t.equal(clock.pending(), 1)
  cut.abort()
  t.equal(await waiting, false)
  t.equal(clock.pending(), 0, 'it leaves no timer')
  t.equal(await delay(clock, 100, cut.signal), false, 'nor does one cut before it begins')
  t.equal(clock.pending(), 0)
})

t.test('one cut ends all delays of its signal; the next signal’s delays wait again', async t => {
  const clock = createManualClock()
  let wake = new AbortController()
  const waiting = [1, 2, 3].map(ms => delay(clock, ms * 100, wake.signal))
  wake.abort()
  t.same(await Promise.all(waiting), [false, false, false])
  wake = new AbortController()
  const next = delay(clock, 100, wake.signal)
  clock.advance(100)
  t.equal(await next, true)
})

t.test('a wait ends with its promise or with the signal, and a failure is passed on', async t => {
  const { signal } = new AbortController()
  await unlessAborted(Promise.resolve(1), signal)
  await t.rejects(unlessAborted(Promise.reject(new Error('broken')), signal), { message: 'broken' })
  await t.rejects(unlessAborted(rejectedWith('text'), signal), { message: 'text' })

  const cut = new AbortController()
  const waiting = unlessAborted(new Promise(() => undefined), cut.signal)
  cut.abort()
  await waiting
  await unlessAborted(new Promise(() => undefined), cut.signal)
})

/** Some libraries reject with a text. */
const rejectedWith = (reason: unknown): Promise<never> =>
  Promise.resolve().then(() => {
    throw reason
  })

t.test('waits leave no listener on a long-lived signal', async t => {
  const clock = createManualClock()
  const { signal } = new AbortController()
  for (let n = 0; n < 3; n++) {
    const whole = delay(clock, 1, signal)
    clock.advance(1)
    await whole
    await unlessAborted(Promise.resolve(), signal)
    await unlessAborted(Promise.reject(new Error('x')), signal).catch(() => undefined)
  }
  t.equal(getEventListeners(signal, 'abort').length, 0)
})

t.test('an act at an abort runs once, also when the abort came before', async t => {
  const acts: string[] = []
  const cut = new AbortController()
  onAbort(cut.signal, () => acts.push('then'))
  t.same(acts, [])
  cut.abort()
  onAbort(cut.signal, () => acts.push('now'))
  t.same(acts, ['then', 'now'])
  await untilAborted(cut.signal)
})
