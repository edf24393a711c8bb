import t from 'tap'
import { Closers } from './closers.js'

t.test('what was opened last is closed first, one at a time', async t => {
  const closers = new Closers()
  const order: string[] = []
  closers.add(() => order.push('first'))
  closers.add(async () => {
    await Promise.resolve()
    order.push('second')
  })
  await closers.close()
  t.same(order, ['second', 'first'])
  await closers.close()
  t.equal(order.length, 2, 'once')
})

t.test('a failed close does not stop the others', async t => {
  const closers = new Closers()
  let isClosed = false
  closers.add(() => (isClosed = true))
  closers.add(() => Promise.reject(new Error('it does not close')))
  await t.rejects(closers.close(), { message: 'it does not close' })
  t.ok(isClosed)
})
