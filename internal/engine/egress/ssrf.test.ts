/**
 * Server-side request forgery: URLs and names that would make the sender reach into its
 * own network. A canary listens on loopback; nothing may reach it.
 */
import t, { type Test } from 'tap'
import { createTestPoster } from '../../lab/testing/poster.js'
import { type StubRecord, startStubDns } from '../../lab/testing/stub-dns.js'
import { startStubHttp } from '../../lab/testing/stub-http.js'
import { createAddressRules, parseAllowList } from './address.js'
import { createResolve, type Resolve } from './resolve.js'

/** Names whose records lead inside, some next to one that does not. */
const RECORDS: Readonly<Record<string, StubRecord>> = {
  'loopback.example': ['127.0.0.1'],
  'private.example': ['10.0.0.1'],
  'metadata.example': ['169.254.169.254'],
  'zero.example': ['0.0.0.0'],
  'shared.example': ['100.64.0.1'],
  'six.example': ['0:0:0:0:0:0:0:1'],
  'six-private.example': ['fd00:0ec2:0:0:0:0:0:0254'],
  'mapped.example': ['0:0:0:0:0:ffff:7f00:1'],
  'nat64.example': ['64:ff9b:0:0:0:0:7f00:1'],
  '6to4.example': ['2002:7f00:1:0:0:0:0:0'],
  'teredo.example': ['2001:0:4136:e378:8000:63bf:80ff:fffe'],
  'first-private.example': ['127.0.0.1', '1.1.1.1'],
  'last-private.example': ['1.1.1.1', '1.0.0.1', '127.0.0.1'],
  'private-six-too.example': ['1.1.1.1', '0:0:0:0:0:0:0:1'],
  'alias.example': { alias: 'second-alias.example' },
  'second-alias.example': { alias: 'loopback.example' }
}

const LITERALS = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '127.255.255.254',
  '2130706433',
  '0x7f000001',
  '0x7f.0.0.1',
  '0x7F.1',
  '0177.0.0.1',
  '0177.1',
  '017700000001',
  '00000177.0x0.0.1',
  '127.0.0.1.',
  '１２７.０.０.１',
  '①②⑦.⓪.⓪.①',
  '127。0。0。1',
  '%31%32%37.0.0.1',
  '0',
  '0.0.0.0',
  '0x0',
  '10.0.0.1',
  '167772161',
  '172.16.0.1',
  '192.168.1.1',
  '0300.0250.1.1',
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '100.64.0.1',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  '192.88.99.1',
  '198.18.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::]',
  '[::127.0.0.1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::ffff:169.254.169.254]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b::a9fe:a9fe]',
  '[64:ff9b:1::127.0.0.1]',
  '[2002:7f00:1::]',
  '[2002:a9fe:a9fe::1]',
  '[2001:0:4136:e378:8000:63bf:80ff:fffe]',
  '[fe80::1]',
  '[fe80::5efe:127.0.0.1]',
  '[2a00:1450::5efe:127.0.0.1]',
  '[fd00:ec2::254]',
  '[fc00::1]',
  '[fec0::1]',
  '[ff02::1]',
  '[5f00::1]'
] as const

const NAMES = [
  'localhost',
  'LOCALHOST.',
  'a.localhost',
  'ｌｏｃａｌｈｏｓｔ',
  'metadata.google.internal',
  'kubernetes.default.svc.cluster.local',
  'canary'
] as const

async function setup(t: Test, over: { readonly allow?: string; readonly resolve?: Resolve } = {}) {
  const canary = await startStubHttp(t, reply => reply.end('canary'))
  const resolve = over.resolve ?? createResolve(await startStubDns(t, RECORDS))
  const { post } = createTestPoster(t, {
    // http, so that only the address rules keep the sender from the canary.
    rules: {
      allowHttp: true,
      addresses: createAddressRules(parseAllowList(over.allow ?? '').list)
    },
    resolve,
    maxOrigins: 200
  })
  const port = canary.host.split(':')[1] ?? ''
  return { canary, post, port }
}

t.test('no URL and no name reaches the canary on loopback', async t => {
  const { canary, post, port } = await setup(t)
  const urls = [
    ...[...LITERALS, ...NAMES, ...Object.keys(RECORDS)].map(host => `http://${host}:${port}/`),
    `http://user@127.0.0.1:${port}/`,
    `http://example.com@127.0.0.1:${port}/`,
    `http://127.0.0.1:${port}#@example.com/`,
    `http://127.0.0.1:${port}\\@example.com/`,
    `http://example.com\\@127.0.0.1:${port}/`,
    `http:127.0.0.1:${port}/`,
    `http:/\\127.0.0.1:${port}/`,
    `//127.0.0.1:${port}/`,
    `ftp://127.0.0.1:${port}/`,
    'http://127.0.0.1:22/',
    'http://127.0.0.1:5432/',
    'http://127.0.0.1:6379/',
    'http://1.1.1.1:25/'
  ]
  t.ok(urls.length >= 60, `${urls.length} of them`)
  for (const url of urls) {
    const result = await post(url)
    t.ok(
      result.kind === 'failed' && ['refused-url', 'refused-address'].includes(result.errorClass),
      `${url}: ${JSON.stringify(result)}`
    )
  }
  t.equal(canary.connections(), 0)
})

t.test('an allow list opens the way to the same canary: the rules had closed it', async t => {
  const { canary, post, port } = await setup(t, { allow: '127.0.0.0/8,::1' })
  for (const host of ['127.0.0.1', '0177.1', 'localhost', 'loopback.example', 'alias.example'])
    t.match(await post(`http://${host}:${port}/`), { kind: 'answered', status: 200 }, host)
  t.equal(canary.requests.length, 5)
  for (const host of ['private.example', 'metadata.example', '10.0.0.1', '169.254.169.254'])
    t.match(await post(`http://${host}:${port}/`), { kind: 'failed', errorClass: /refused/ }, host)
})

t.test(
  'a changing name is resolved once per connection, which goes to what was judged',
  async t => {
    const answers = ['127.0.0.1', '10.0.0.1']
    let asked = 0
    const resolve: Resolve = async () => [
      { address: answers[asked++] ?? '169.254.169.254', family: 4 }
    ]
    const { canary, post, port } = await setup(t, { allow: '127.0.0.1', resolve })
    const url = `http://rebinding.example:${port}/`
    t.match(await post(url), { kind: 'answered' })
    t.equal(asked, 1)
    canary.server.closeAllConnections()
    t.match(await post(`${url}again`), {
      kind: 'failed',
      errorClass: 'refused-address',
      detail: /^10[.]0[.]0[.]1 .*private/
    })
    t.match(await post(`${url}and-again`), {
      kind: 'failed',
      errorClass: 'refused-address',
      detail: /^169[.]254/
    })
    t.equal(asked, 3)
    t.equal(canary.requests.length, 1)
  }
)

t.test('no redirect is followed, wherever it leads', async t => {
  const canary = await startStubHttp(t, reply => reply.end('canary'))
  const recipient = await startStubHttp(t, (reply, { path }) => {
    reply
      .writeHead(Number(path.slice(1)), {
        location: `${canary.origin}/stolen`,
        refresh: `0; url=${canary.origin}`
      })
      .end()
  })
  const { post } = await setup(t, { allow: '127.0.0.1' })
  for (const status of [300, 301, 302, 303, 305, 307, 308])
    t.match(
      await post(`${recipient.origin}/${status}`),
      { kind: 'answered', status },
      String(status)
    )
  t.equal(recipient.requests.length, 7)
  t.equal(canary.connections(), 0)
})
