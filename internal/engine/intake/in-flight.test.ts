import t from 'tap'
import type { ReceivedMessage } from '../message/message.js'
import { InFlight } from './in-flight.js'

t.test('an older delivery that arrives late does not replace a newer one', t => {
  const inFlight = new InFlight()
  const delivery = (receiveCount: number): ReceivedMessage => ({
    id: 'a',
    token: `handle ${receiveCount}`,
    body: '',
    bytes: 0,
    receiveCount,
    sentAtMs: 0
  })
  t.equal(inFlight.add(delivery(2), 100), true)
  t.equal(inFlight.add(delivery(1), 200), false, 'it was delayed on its way')
  t.equal(inFlight.receipt('a')?.token, 'handle 2')
  t.same(
    inFlight.takeDue(100, 200, 10).length,
    1,
    'and does not change how long the newer one stays invisible'
  )
  t.equal(inFlight.add(delivery(3), 300), false)
  t.equal(inFlight.receipt('a')?.token, 'handle 3')
  t.end()
})
