import t from 'tap'
import { CounterTotals } from './totals.js'

t.test('totals are the sums of all workers, dead ones included', async t => {
  const totals = new CounterTotals()
  totals.reported(1, { stored: 10, 'rejected/not-json': 1 })
  totals.reported(2, { stored: 5 })
  t.equal(totals.sum('stored'), 15)
  await totals.retire(1, () => Promise.reject(new Error('nothing was open')))
  t.equal(totals.sum('stored'), 15)
  t.equal(totals.sum('rejected/not-json'), 1)
  totals.reported(3, { stored: 1 })
  t.equal(totals.sum('stored'), 16)
})

t.test('an announced commit counts once its outcome is reported', async t => {
  const totals = new CounterTotals()
  totals.announced(1, 'tx-1', { stored: 7 })
  t.equal(totals.sum('stored'), 0)
  totals.decided(1, 'tx-1', { stored: 7 })
  t.equal(totals.sum('stored'), 7)
  await totals.retire(1, () => Promise.reject(new Error('nothing was open')))
  t.equal(totals.sum('stored'), 7)
})

t.test('the database says whether the open commit of a dead worker counts', async t => {
  for (const hasCommitted of [true, false]) {
    const totals = new CounterTotals()
    totals.decided(1, 'tx-1', { stored: 100 })
    totals.announced(1, 'tx-2', { stored: 7, duplicate: 1 })
    totals.reported(1, { stored: 100, received: 120 })
    const asked: string[] = []
    await totals.retire(1, tx => {
      asked.push(tx)
      return Promise.resolve(hasCommitted)
    })
    t.same(asked, ['tx-2'])
    t.equal(totals.sum('stored'), hasCommitted ? 107 : 100)
    t.equal(totals.sum('duplicate'), hasCommitted ? 1 : 0)
    t.equal(totals.sum('received'), 120)
  }
})

t.test('each of two open commits has its own outcome', async t => {
  const totals = new CounterTotals()
  totals.announced(1, 'large', { stored: 1_000 })
  totals.announced(1, 'small', { stored: 3 })
  totals.decided(1, 'small', { stored: 3 })
  t.equal(totals.sum('stored'), 3)
  totals.announced(1, 'next', { stored: 5 })
  const asked: string[] = []
  await totals.retire(1, tx => {
    asked.push(tx)
    return Promise.resolve(tx === 'large')
  })
  t.same(asked, ['large', 'next'])
  t.equal(totals.sum('stored'), 1_003)
})

t.test('no total goes backwards while the question is open', async t => {
  const totals = new CounterTotals()
  totals.decided(1, 'tx-1', { stored: 100 })
  totals.announced(1, 'tx', { stored: 7 })
  let answer = (_yes: boolean): void => undefined
  const retired = totals.retire(1, () => new Promise(resolve => (answer = resolve)))
  t.equal(totals.sum('stored'), 100)
  answer(true)
  await retired
  t.equal(totals.sum('stored'), 107)
})
