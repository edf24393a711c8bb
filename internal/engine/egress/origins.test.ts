import t from 'tap'
import { createOrigins } from './origins.js'

const setup = (t: { teardown(fn: () => Promise<void>): void }, maxOrigins: number) => {
  const origins = createOrigins({
    connect: (_, callback) => callback(new Error('nobody connects here'), null),
    connectionsPerOrigin: 1,
    maxOrigins
  })
  t.teardown(() => origins.destroy())
  return origins
}
const url = (index: number): string => `https://host-${index}.example`

t.test('one pool per origin, kept for the next request', async t => {
  const origins = setup(t, 10)
  const first = origins.lease(url(1))
  t.equal(origins.lease(url(1)).pool, first.pool)
  first.release()
  t.equal(origins.lease(url(1)).pool, first.pool)
  t.not(origins.lease(url(2)).pool, first.pool)
})

t.test('above the limit the pool that was idle for longest is closed', async t => {
  const origins = setup(t, 2)
  const [one, two] = [origins.lease(url(1)), origins.lease(url(2))] as const
  one.release()
  two.release()
  origins.lease(url(1)).release()
  const three = origins.lease(url(3))
  three.release()
  t.equal(two.pool.closed, true)
  t.equal(one.pool.closed, false)
  t.equal(origins.lease(url(1)).pool, one.pool, 'the others are kept')
  t.equal(origins.lease(url(3)).pool, three.pool)
})

t.test('a pool at work stays open; the surplus is closed when it is done', async t => {
  const origins = setup(t, 2)
  const leases = [1, 2, 3, 4].map(index => origins.lease(url(index)))
  t.equal(
    leases.some(({ pool }) => pool.closed),
    false
  )
  for (const lease of leases) lease.release()
  t.same(
    leases.map(({ pool }) => pool.closed),
    [true, true, false, false]
  )
})
