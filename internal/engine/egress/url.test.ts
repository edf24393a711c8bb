import t from 'tap'
import { createAddressRules, parseAllowList } from './address.js'
import { checkEndpointUrl, MAX_URL_CHARACTERS, type UrlPart, type UrlRules } from './url.js'

const strict: UrlRules = { allowHttp: false, addresses: createAddressRules() }
const lax: UrlRules = {
  allowHttp: true,
  addresses: createAddressRules(parseAllowList('127.0.0.0/8').list)
}

const partOf = (text: string, rules = strict): UrlPart | 'usable' => {
  const verdict = checkEndpointUrl(text, rules)
  return verdict.kind === 'usable' ? 'usable' : verdict.part
}

t.test('an https URL of a public host is usable, split into origin and path', async t => {
  const rows = [
    ['https://example.com', 'https://example.com', '/'],
    ['https://Example.COM:443/Hooks?token=a%20b&x', 'https://example.com', '/Hooks?token=a%20b&x'],
    ['https://example.com:8443/a/../b', 'https://example.com:8443', '/b'],
    ['https://example.com./', 'https://example.com.', '/'],
    ['https://bücher.example.org/', 'https://xn--bcher-kva.example.org', '/'],
    ['https://1.1.1.1/', 'https://1.1.1.1', '/'],
    ['https://[2606:4700::1111]/', 'https://[2606:4700::1111]', '/'],
    ['https://a_b.example.com/', 'https://a_b.example.com', '/'],
    ['https://localhost.example.com/', 'https://localhost.example.com', '/'],
    ['https://mylocal/'.replace('mylocal', 'my-local.org'), 'https://my-local.org', '/']
  ] as const
  for (const [text, origin, path] of rows)
    t.same(checkEndpointUrl(text, strict), { kind: 'usable', url: { origin, path } }, text)
})

t.test('https is usable, and http if it is allowed', async t => {
  for (const text of [
    'http://example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'gopher://example.com/',
    'data:,x',
    'ws://example.com/'
  ])
    t.equal(partOf(text), 'scheme', text)
  t.equal(partOf('http://example.com/', lax), 'usable')
  t.equal(partOf('file:///etc/passwd', lax), 'scheme')
})

t.test('a URL with a user or password is refused', async t => {
  for (const text of [
    'https://user@example.com/',
    'https://user:pass@example.com/',
    'https://:pass@example.com/',
    'https://example.com@127.0.0.1/'
  ])
    t.equal(partOf(text), 'credentials', text)
  const verdict = checkEndpointUrl('https://user:hunter2@example.com/', strict)
  t.notMatch(JSON.stringify(verdict), /hunter2/)
})

t.test('port 443 is usable, and any from 1024 that no well-known service uses', async t => {
  for (const port of [443, 1_024, 3_000, 4_433, 8_000, 8_080, 8_443, 65_535])
    t.equal(partOf(`https://example.com:${port}/`), 'usable', String(port))
  for (const port of [0, 1, 22, 25, 53, 80, 110, 389, 444, 1_023])
    t.equal(partOf(`https://example.com:${port}/`), 'port', String(port))
  for (const port of [
    1_433, 2_375, 2_379, 3_306, 3_389, 5_432, 5_672, 6_379, 6_443, 9_042, 9_092, 9_200, 10_250,
    11_211, 27_017
  ])
    t.equal(partOf(`https://example.com:${port}/`), 'port', String(port))
  t.match(checkEndpointUrl('https://example.com:6379/', strict), {
    reason: 'port 6379 belongs to Redis: use 443, or another port from 1024'
  })
  t.equal(partOf('http://example.com:80/', lax), 'usable')
  t.equal(partOf('http://example.com:443/', lax), 'port', 'the port of the other scheme')
  t.equal(partOf('https://example.com:65536/'), 'text')
})

t.test('no fragment, no invisible characters, no more than 2048 characters', async t => {
  t.equal(partOf('https://example.com/#part'), 'fragment')
  t.equal(partOf('https://example.com/#'), 'fragment')
  for (const text of [
    ' https://example.com/',
    'https://example.com/\n',
    'https://exa\tmple.com/',
    'https:\\\\example.com\\',
    'https://example.com/\u{200b}',
    'https://example.com/\0'
  ])
    t.equal(partOf(text), 'text', JSON.stringify(text))
  const long = 'https://example.com/'.padEnd(MAX_URL_CHARACTERS, 'x')
  t.equal(partOf(long), 'usable')
  t.equal(partOf(`${long}x`), 'text')
  for (const text of [
    '',
    'example.com',
    '/hooks',
    'https://',
    'https://exa mple.com/',
    'https://256.256.256.256/',
    'https://1.2.3.4.5/'
  ])
    t.equal(partOf(text), 'text', text)
})

t.test(
  'names that never lead to the Internet are refused, with or without a final dot',
  async t => {
    const names = [
      'localhost',
      'localhost.',
      'LOCALHOST',
      'a.localhost',
      'printer.local',
      'metadata.google.internal',
      'metadata.google.internal.',
      'db.lan',
      'nas.home.arpa',
      'x.onion',
      'intranet',
      'postgres',
      'x.corp'
    ]
    for (const name of names) t.equal(partOf(`https://${name}/`), 'host', name)
    for (const name of [
      '-a.example.com',
      'a..example.com',
      `${'a'.repeat(64)}.example.com`,
      `${'a.'.repeat(127)}com`,
      'a*b.example.com'
    ])
      t.equal(partOf(`https://${name}/`), 'host', name)
  }
)

t.test('with an allow list (for development) such names are judged when connecting', async t => {
  for (const name of ['localhost', 'receiver', 'receiver.internal'])
    t.equal(partOf(`http://${name}:8080/`, lax), 'usable', name)
  t.equal(partOf('http://127.0.0.1:8080/', lax), 'usable')
  t.equal(partOf('http://10.0.0.1:8080/', lax), 'host')
})

t.test('every refusal names the wrong part and says what to do', async t => {
  for (const text of [
    'x',
    'http://example.com/',
    'https://u@example.com/',
    'https://127.0.0.1/',
    'https://x.local/',
    'https://x/',
    'https://example.com:22/',
    'https://example.com/#'
  ]) {
    const verdict = checkEndpointUrl(text, strict)
    t.ok(verdict.kind === 'refused' && /: \w/.test(verdict.reason), JSON.stringify(verdict))
  }
})
