/**
 * Whether an endpoint's URL may be delivered to, as far as its text says: checked at
 * registration and again before each attempt.
 *
 * Shapes  text in; the parts to connect with out, or which part is wrong and a sentence
 *         that says what to do. Names are not resolved here: their addresses are judged
 *         when the connection is made (guarded-connect.ts).
 * Errors  none: every text has a verdict. A sentence never repeats what the URL says
 *         before `@` or after the host.
 * Source  WHATWG URL as Node reads it: 0x7f.1, 0177.1, 2130706433 and full-width digits
 *         are all 127.0.0.1 by the time they get here. RFC 6761, 6762, 7686, 8375 and
 *         ICANN's `internal` for names that never lead to the Internet.
 */
import { isIP } from 'node:net'
import type { AddressRules } from './address.js'

export type UrlPart = 'text' | 'scheme' | 'credentials' | 'host' | 'port' | 'fragment'

export interface EndpointUrl {
  /** Scheme, host and port; connections are shared per origin. */
  readonly origin: string
  /** Path and query. */
  readonly path: string
}

export type UrlVerdict =
  | { readonly kind: 'usable'; readonly url: EndpointUrl }
  | { readonly kind: 'refused'; readonly part: UrlPart; readonly reason: string }

export interface UrlRules {
  /** For development: anybody on the way can read payloads and signatures. */
  readonly allowHttp: boolean
  readonly addresses: AddressRules
}

export const MAX_URL_CHARACTERS = 2_048
const MAX_NAME_CHARACTERS = 253
const MAX_LABEL_CHARACTERS = 63

const PRIVATE_SUFFIXES = [
  'localhost',
  'local',
  'localdomain',
  'internal',
  'intranet',
  'private',
  'corp',
  'home',
  'lan',
  'home.arpa',
  'in-addr.arpa',
  'ip6.arpa',
  'onion',
  'invalid',
  'test'
] as const

const LOWEST_FREE_PORT = 1_024
/**
 * Services that never expect a delivery. Some of them execute any line of a request that
 * they understand.
 */
const SERVICE_PORTS: ReadonlyMap<number, string> = new Map(
  (
    [
      ['SQL Server', 1_433, 1_434],
      ['Oracle', 1_521, 2_483, 2_484],
      ['NFS', 2_049],
      ['ZooKeeper', 2_181],
      ['Docker', 2_375, 2_376, 2_377],
      ['etcd', 2_379, 2_380],
      ['MySQL', 3_306, 33_060],
      ['remote desktops', 3_389],
      ['Erlang', 4_369],
      ['PostgreSQL', 5_432, 5_433, 6_432],
      ['message brokers', 1_883, 5_671, 5_672, 8_883, 9_092, 9_093, 15_672, 61_613, 61_616],
      ['VNC', 5_900, 5_901],
      ['CouchDB', 5_984],
      ['Windows administration', 5_985, 5_986],
      ['X11', 6_000],
      ['Redis', 6_379, 6_380, 16_379, 26_379],
      ['Kubernetes', 6_443, 10_250, 10_255, 10_256],
      ['Cassandra', 7_000, 7_001, 7_199, 9_042, 9_160],
      ['InfluxDB', 8_086],
      ['Consul', 8_300, 8_301, 8_500, 8_501, 8_600],
      ['Vault', 8_200],
      ['Elasticsearch', 9_200, 9_300],
      ['memcached', 11_211],
      ['MongoDB', 27_017, 27_018, 27_019],
      ['Db2', 50_000]
    ] as const
  ).flatMap(([service, ...ports]) => ports.map(port => [port, service] as const))
)

export function checkEndpointUrl(text: string, rules: UrlRules): UrlVerdict {
  if (text.length > MAX_URL_CHARACTERS)
    return refused(
      'text',
      `the URL has more than ${MAX_URL_CHARACTERS} characters: shorten its path or query`
    )
  // The parser drops some of these and converts others, so people would read another URL
  // than the one in use.
  if (/[\s\\\p{C}]/u.test(text))
    return refused(
      'text',
      'the URL contains a space, a backslash or an invisible character: percent-encode it'
    )
  const url = URL.parse(text)
  if (url === null)
    return refused('text', 'this is not an absolute URL: write it as https://host/path')
  return (
    checkScheme(url, rules) ??
    checkCredentials(url) ??
    checkHost(url, rules.addresses) ??
    checkPort(url) ??
    checkFragment(text) ?? {
      kind: 'usable',
      url: { origin: url.origin, path: `${url.pathname}${url.search}` }
    }
  )
}

function refused(part: UrlPart, reason: string): UrlVerdict {
  return { kind: 'refused', part, reason }
}

function checkScheme({ protocol }: URL, { allowHttp }: UrlRules): UrlVerdict | null {
  if (protocol === 'https:' || (protocol === 'http:' && allowHttp)) return null
  return refused(
    'scheme',
    `the scheme is ${protocol.slice(0, -1)}: use https, so that nobody can read the payloads on their way`
  )
}

function checkCredentials({ username, password }: URL): UrlVerdict | null {
  if (username === '' && password === '') return null
  return refused(
    'credentials',
    'the URL contains a user or password before @: put it into a header of the endpoint'
  )
}

function checkHost({ hostname }: URL, addresses: AddressRules): UrlVerdict | null {
  const literal = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  if (isIP(literal) !== 0) {
    const range = addresses.forbiddenRange(literal)
    return range === null
      ? null
      : refused(
          'host',
          `${literal} is not a public address (${range}): use one that the Internet can reach`
        )
  }
  const name = hostname.replace(/[.]$/, '')
  if (!isName(name))
    return refused(
      'host',
      'the host is not a DNS name: use letters, digits and hyphens, separated by dots'
    )
  // An allow list is for development; it decides when the connection is made.
  if (addresses.hasAllowList) return null
  const suffix = PRIVATE_SUFFIXES.find(ending => name === ending || name.endsWith(`.${ending}`))
  if (suffix !== undefined)
    return refused(
      'host',
      `names ending in ${suffix} do not exist on the Internet: use a public name`
    )
  return name.includes('.')
    ? null
    : refused('host', `${name} is a name of a local network: use a public name, with its domain`)
}

function isName(name: string): boolean {
  const labels = name.split('.')
  return (
    name.length <= MAX_NAME_CHARACTERS &&
    labels.every(
      label =>
        label.length <= MAX_LABEL_CHARACTERS && /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/.test(label)
    )
  )
}

function checkPort({ port }: URL): UrlVerdict | null {
  // The URL leaves out its scheme's default port; that of the other scheme is below 1024.
  if (port === '') return null
  const number = Number(port)
  const service = SERVICE_PORTS.get(number)
  if (service !== undefined)
    return refused(
      'port',
      `port ${port} belongs to ${service}: use 443, or another port from ${LOWEST_FREE_PORT}`
    )
  if (number >= LOWEST_FREE_PORT) return null
  return refused(
    'port',
    `port ${port} is reserved for other services: use 443, or a port from ${LOWEST_FREE_PORT}`
  )
}

function checkFragment(text: string): UrlVerdict | null {
  return text.includes('#')
    ? refused('fragment', 'the URL contains a #, and what follows it is never sent: leave it out')
    : null
}
