import t from 'tap'
import { createTally, describeTotals } from './tally.js'

t.test('a delivery is known by path and webhook-id', async t => {
  const tally = createTally()
  t.equal(tally.seen('/a', 'msg_1'), 1)
  t.equal(tally.seen('/a', 'msg_1'), 2)
  t.equal(tally.seen('/b', 'msg_1'), 1)
  t.equal(tally.seen('/a', 'msg_2'), 1)
  t.match(tally.totals(), { received: 4, different: 3 })
})

t.test('a duplicate is what is accepted again, and not what failed before', async t => {
  const tally = createTally()
  tally.seen('/', 'msg_1')
  tally.failed()
  for (let time = 0; time < 3; time++) {
    tally.seen('/', 'msg_1')
    tally.accepted('/', 'msg_1')
  }
  tally.invalid()
  t.same(tally.totals(), {
    received: 5,
    accepted: 3,
    duplicates: 2,
    failed: 1,
    invalid: 1,
    different: 1
  })
  t.equal(
    describeTotals(tally.totals()),
    '5 received (1 different): 3 accepted, 2 of them duplicates; 1 failed as told; 1 not genuine'
  )
})

t.test('what came first is forgotten first', async t => {
  const tally = createTally(2)
  for (const id of ['1', '2', '3']) tally.seen('/', id)
  t.equal(tally.seen('/', '3'), 2)
  t.equal(tally.seen('/', '1'), 1)
})
