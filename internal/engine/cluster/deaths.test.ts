import t from 'tap'
import { Deaths } from './deaths.js'

t.test('a death is charged to the message under examination, and counted', async t => {
  const deaths = new Deaths()
  deaths.examining(1, 'a')
  deaths.examining(2, 'b')
  t.same(deaths.died(1), { messageId: 'a', deaths: 1 })
  t.equal(deaths.died(1), null)
  deaths.examining(3, 'a')
  t.same(deaths.died(3), { messageId: 'a', deaths: 2 })
  t.same(deaths.all, [{ messageId: 'a', deaths: 2 }])
})

t.test('a worker that had finished its examination died of something else', async t => {
  const deaths = new Deaths()
  deaths.examining(1, 'a')
  deaths.examining(1, null)
  t.equal(deaths.died(1), null)
  t.same(deaths.all, [])
})

t.test('memory is bounded: the message with the oldest last death is forgotten', async t => {
  const deaths = new Deaths()
  const die = (messageId: string): void => {
    deaths.examining(1, messageId)
    deaths.died(1)
  }
  for (let index = 0; index < 10_000; index++) die(String(index))
  die('0')
  die('one more')
  t.equal(deaths.all.length, 10_000)
  t.ok(deaths.all.some(({ messageId }) => messageId === '0'))
  t.notOk(deaths.all.some(({ messageId }) => messageId === '1'))
})
