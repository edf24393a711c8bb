import t from 'tap'
import { STALL_MS, Window } from './window.js'

t.test('the first quarter of the events is not measured, the last event is', async t => {
  const window = new Window(1_000)
  t.equal(window.look(0, 0), 'before')
  t.equal(window.look(249, 100), 'before')
  t.equal(window.look(250, 200), 'begin')
  t.equal(window.look(251, 300), 'within')
  t.equal(window.look(999, 400), 'within')
  t.equal(window.look(1_000, 500), 'end')
})

t.test('a drain that is over at the first reading still begins before it ends', async t => {
  const window = new Window(10)
  t.equal(window.look(10, 0), 'begin')
  t.equal(window.look(10, 1), 'end')
})

t.test('a drain without progress for STALL_MS fails, and progress starts that anew', async t => {
  const window = new Window(1_000)
  window.look(0, 0)
  window.look(999, STALL_MS)
  t.equal(window.look(999, STALL_MS * 2), 'within')
  t.throws(() => window.look(999, STALL_MS * 2 + 1), {
    name: 'Stalled',
    message: /^1 of 1000 events were not settled/
  })
})

t.test('without a warm-up the first reading is the beginning', async t => {
  const window = new Window(1_000, 0)
  t.equal(window.look(0, 0), 'begin')
  t.equal(window.look(1_000, 10), 'end')
})
