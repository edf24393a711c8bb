import t from 'tap'
import { Valve } from './bursts.js'

t.test('only released events pass, in the order in which they were requested', async t => {
  const valve = new Valve()
  const passed: string[] = []
  const pass = (name: string, count: number) => valve.pass(count).then(() => passed.push(name))
  valve.release(10)
  await pass('first', 10)
  valve.release(9)
  const second = pass('second', 10)
  const third = pass('third', 3)
  await Promise.resolve()
  t.same(passed, ['first'], 'the third waits behind the second, although there is room for it')
  valve.release(4)
  await Promise.all([second, third])
  t.same(passed, ['first', 'second', 'third'])
})
