import t from 'tap'
import { createArrivals, describeArrivals } from './arrivals.js'

t.test('a delivery is identified by its path and webhook-id', async t => {
  const arrivals = createArrivals()
  t.equal(arrivals.seen('/a', 'msg_1'), 1)
  t.equal(arrivals.seen('/a', 'msg_1'), 2)
  t.equal(arrivals.seen('/b', 'msg_1'), 1)
  t.equal(arrivals.seen('/a', 'msg_2'), 1)
  t.match(arrivals.totals(), { received: 4, different: 3 })
})

t.test('a second acceptance is a duplicate; one after a failure is not', async t => {
  const arrivals = createArrivals()
  arrivals.seen('/', 'msg_1')
  arrivals.failed()
  for (let time = 0; time < 3; time++) {
    arrivals.seen('/', 'msg_1')
    arrivals.accepted('/', 'msg_1')
  }
  arrivals.invalid()
  t.same(arrivals.totals(), {
    received: 5,
    accepted: 3,
    duplicates: 2,
    failed: 1,
    invalid: 1,
    different: 1
  })
  t.equal(
    describeArrivals(arrivals.totals()),
    '5 received (1 different): 3 accepted, 2 of them duplicates; 1 failed on purpose; 1 invalid'
  )
})

t.test('the delivery that came first is forgotten first', async t => {
  const arrivals = createArrivals(2)
  for (const id of ['1', '2', '3']) arrivals.seen('/', id)
  t.equal(arrivals.seen('/', '3'), 2)
  t.equal(arrivals.seen('/', '1'), 1)
})
