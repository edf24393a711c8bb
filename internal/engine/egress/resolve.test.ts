import t from 'tap'
import { startStubDns } from '../../lab/testing/stub-dns.js'
import { createResolve } from './resolve.js'

t.test('a name resolves to all its addresses, IPv4 first', async t => {
  const resolve = createResolve(
    await startStubDns(t, {
      'both.example': ['2a00:0:0:0:0:0:0:1', '1.1.1.1', '1.0.0.1'],
      'four.example': ['1.1.1.1'],
      'six.example': ['2a00:0:0:0:0:0:0:1']
    })
  )
  t.same(await resolve('both.example'), [
    { address: '1.1.1.1', family: 4 },
    { address: '1.0.0.1', family: 4 },
    { address: '2a00::1', family: 6 }
  ])
  t.same(await resolve('four.example'), [{ address: '1.1.1.1', family: 4 }])
  t.same(await resolve('six.example'), [{ address: '2a00::1', family: 6 }])
})

t.test('aliases are followed to the end', async t => {
  const resolve = createResolve(
    await startStubDns(t, {
      'a.example': { alias: 'b.example' },
      'b.example': { alias: 'c.example' },
      'c.example': ['127.0.0.1']
    })
  )
  t.same(await resolve('a.example'), [{ address: '127.0.0.1', family: 4 }])
})

t.test('no address, no name and no answer have different codes', async t => {
  const resolve = createResolve(
    await startStubDns(t, { 'empty.example': [], 'silent.example': 'silent' })
  )
  await t.rejects(resolve('empty.example'), { name: 'LookupError', code: 'ENODATA' })
  await t.rejects(resolve('missing.example'), { name: 'LookupError', code: 'ENOTFOUND' })
  await t.rejects(resolve('silent.example'), { name: 'LookupError', code: 'ETIMEOUT' })
})

t.test('names of this machine come from its own file', async t => {
  const resolve = createResolve(await startStubDns(t, { localhost: ['1.1.1.1'] }))
  for (const { address } of await resolve('localhost'))
    t.ok(['127.0.0.1', '::1'].includes(address), address)
  await t.rejects(resolve('no-such-name-here'), { name: 'LookupError' })
})
