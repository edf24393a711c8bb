import t, { type Test } from 'tap'
import { startRawServer } from '../../lab/testing/raw-server.js'
import { createAddressRules, parseAllowList } from './address.js'
import { createGuardedConnect } from './guarded-connect.js'
import { LookupError, type Resolve, type ResolvedAddress } from './resolve.js'

async function setup(t: Test, found: readonly ResolvedAddress[] | Error, allow = '127.0.0.1,::1') {
  const server = await startRawServer(t, () => undefined)
  const asked: string[] = []
  const resolve: Resolve = async name => {
    asked.push(name)
    if (found instanceof Error) throw found
    return found
  }
  const connect = createGuardedConnect({
    addresses: createAddressRules(parseAllowList(allow).list),
    resolve,
    connectTimeoutMs: 5_000
  })
  /** The address that was connected to. */
  const open = (hostname: string): Promise<string> =>
    new Promise((done, reject) => {
      const options = {
        hostname,
        host: `${hostname}:${server.port}`,
        protocol: 'http:',
        port: String(server.port)
      }
      connect(options, (error, socket) => {
        if (error !== null) return reject(error)
        const { remoteAddress = '' } = socket
        socket.destroy()
        done(remoteAddress)
      })
    })
  return { server, asked, open }
}

const loopback: ResolvedAddress = { address: '127.0.0.1', family: 4 }

t.test('a name is resolved once, and the connection goes to its address', async t => {
  const { asked, open } = await setup(t, [loopback])
  t.equal(await open('recipient.example'), '127.0.0.1')
  t.same(asked, ['recipient.example'])
})

t.test('when one address does not answer, the next one is tried', async t => {
  const { open } = await setup(t, [{ address: '::1', family: 6 }, loopback])
  t.equal(await open('recipient.example'), '127.0.0.1')
})

t.test('one forbidden address refuses them all, wherever it stands', async t => {
  const forbidden: ResolvedAddress[] = [
    { address: '10.0.0.1', family: 4 },
    { address: '169.254.169.254', family: 4 },
    { address: '::ffff:10.0.0.1', family: 6 },
    { address: 'fe80::1%lo', family: 6 }
  ]
  for (const address of forbidden) {
    for (const found of [[address], [address, loopback], [loopback, address]]) {
      const { server, open } = await setup(t, found)
      await t.rejects(
        open('recipient.example'),
        { name: 'RefusedAddressError', message: address.address },
        JSON.stringify(found)
      )
      t.equal(server.sockets.length, 0)
    }
  }
})

t.test('an address in the URL is judged, although nothing is looked up', async t => {
  const { server, asked, open } = await setup(t, [loopback], '::1')
  for (const literal of [
    '127.0.0.1',
    '[::ffff:127.0.0.1]',
    '::ffff:7f00:1',
    '[64:ff9b::7f00:1]',
    '0.0.0.0',
    '[::]'
  ])
    await t.rejects(open(literal), { name: 'RefusedAddressError' }, literal)
  t.equal(server.sockets.length, 0)
  t.same(asked, [])
  const allowing = await setup(t, [])
  t.equal(await allowing.open('127.0.0.1'), '127.0.0.1')
  t.same(allowing.asked, [])
})

t.test('a name without an address, and one that cannot be resolved, are refused', async t => {
  await t.rejects((await setup(t, [])).open('empty.example'), {
    name: 'LookupError',
    code: 'ENODATA'
  })
  await t.rejects((await setup(t, new LookupError('ESERVFAIL'))).open('broken.example'), {
    name: 'LookupError',
    code: 'ESERVFAIL'
  })
})
