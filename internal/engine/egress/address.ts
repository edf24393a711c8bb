/**
 * Which IP addresses a recipient may have: those of the public Internet, and what the
 * operator allows for development.
 *
 * Shapes  an address as text in; the name of the range that forbids it, or null, out. An
 *         address with an IPv4 address inside is judged by that one if networks really
 *         translate it (mapped, NAT64); tunnel addresses are refused as such. In IPv6
 *         only the range allocated to the Internet (2000::/3) is public, so ranges
 *         defined later are refused.
 * Errors  text that is not an address is refused, not an error; parseAllowList names
 *         every invalid entry.
 * Source  IANA special-purpose address registries for IPv4 and IPv6; RFC 6052 (NAT64),
 *         4214 (ISATAP), 4380 (Teredo), 3056 (6to4).
 */
import { BlockList, isIP, isIPv4 } from 'node:net'

export interface AddressRules {
  /**
   * The name of the range that forbids the address, such as `loopback`; null: allowed.
   */
  forbiddenRange(address: string): string | null
  /**
   * Whether an allow list is in force: names of private networks may then be reachable.
   */
  readonly hasAllowList: boolean
}

type Range = readonly [name: string, ...cidrs: string[]]

const FORBIDDEN_IPV4: readonly Range[] = [
  ['this network', '0.0.0.0/8'],
  ['private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  ['carrier-grade NAT', '100.64.0.0/10'],
  ['loopback', '127.0.0.0/8'],
  ['link-local, where clouds keep their metadata', '169.254.0.0/16'],
  ['protocol assignments', '192.0.0.0/24'],
  ['documentation', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'],
  ['anycast outside the Web', '192.31.196.0/24', '192.52.193.0/24', '192.175.48.0/24'],
  ['6to4 relay', '192.88.99.0/24'],
  ['benchmarking', '198.18.0.0/15'],
  ['multicast', '224.0.0.0/4'],
  ['broadcast', '255.255.255.255/32'],
  ['reserved', '240.0.0.0/4'],
  // Looks public, but for the virtual machines of that cloud it is the host.
  ['cloud platform', '168.63.129.16/32']
]

const FORBIDDEN_IPV6: readonly Range[] = [
  ['unspecified', '::/128'],
  ['loopback', '::1/128'],
  ['IPv4-compatible', '::/96'],
  ['IPv4-translated', '::ffff:0:0:0/96'],
  ['NAT64 of a local network', '64:ff9b:1::/48'],
  ['discard', '100::/64', '100:0:0:1::/64'],
  ['Teredo', '2001::/32'],
  ['protocol assignments', '2001::/23'],
  ['documentation', '2001:db8::/32', '3fff::/20'],
  ['6to4', '2002::/16'],
  ['segment routing', '5f00::/16'],
  ['unique local', 'fc00::/7'],
  ['link-local', 'fe80::/10'],
  ['site-local', 'fec0::/10'],
  ['multicast', 'ff00::/8']
]

const GLOBAL_IPV6 = listOf(['2000::/3'])
const IPV4 = FORBIDDEN_IPV4.map(compile)
const IPV6 = FORBIDDEN_IPV6.map(compile)

const GROUPS = 8
const MAPPED = [0, 0, 0, 0, 0, 0xffff] as const
const NAT64 = [0x64, 0xff9b, 0, 0, 0, 0] as const
/** Groups 5 and 6 of an ISATAP address; the bit for "unique" may be set. */
const ISATAP = [
  [0x0000, 0x5efe],
  [0x0200, 0x5efe]
] as const

/** Without an allow list: the public Internet and nothing else. */
export function createAddressRules(allowList: BlockList | null = null): AddressRules {
  return {
    hasAllowList: allowList !== null,
    forbiddenRange(address) {
      const canonical = canonicalAddress(address)
      if (canonical === null) return 'not an IP address'
      if (allowList?.check(canonical, isIPv4(canonical) ? 'ipv4' : 'ipv6') === true) return null
      return isIPv4(canonical) ? nameOf(canonical, 'ipv4', IPV4) : forbiddenIpv6(canonical)
    }
  }
}

export type AllowList = { readonly list: BlockList | null; readonly problems: readonly string[] }

/**
 * Parses addresses and ranges separated by commas, such as `127.0.0.0/8,::1`. Without any
 * entry there is no list.
 */
export function parseAllowList(text: string): AllowList {
  const entries = text
    .split(',')
    .map(entry => entry.trim())
    .filter(entry => entry !== '')
  const problems = entries
    .filter(entry => !isCidr(entry))
    .map(entry => `${JSON.stringify(entry)} is neither an address nor a range such as 127.0.0.0/8`)
  return { list: entries.length === 0 || problems.length > 0 ? null : listOf(entries), problems }
}

/**
 * The one form in which an address is judged: without a zone, and as the IPv4 address
 * that it stands for, if any.
 */
export function canonicalAddress(address: string): string | null {
  const version = isIP(address)
  if (version === 0) return null
  if (version === 4) return address
  const groups = groupsOf(address)
  return startsWith(groups, MAPPED) || startsWith(groups, NAT64)
    ? embeddedIpv4(groups)
    : groups.map(group => group.toString(16)).join(':')
}

function forbiddenIpv6(address: string): string | null {
  const named = nameOf(address, 'ipv6', IPV6)
  if (named !== null) return named
  if (!GLOBAL_IPV6.check(address, 'ipv6')) return 'not allocated to the Internet'
  const groups = groupsOf(address)
  return ISATAP.some(([first, second]) => groups[4] === first && groups[5] === second)
    ? 'ISATAP'
    : null
}

function nameOf(
  address: string,
  family: 'ipv4' | 'ipv6',
  ranges: readonly CompiledRange[]
): string | null {
  return ranges.find(({ list }) => list.check(address, family))?.name ?? null
}

interface CompiledRange {
  readonly name: string
  readonly list: BlockList
}

function compile([name, ...cidrs]: Range): CompiledRange {
  return { name, list: listOf(cidrs) }
}

function listOf(entries: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/')
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    list.addSubnet(address, prefix === undefined ? bitsOf(address) : Number(prefix), family)
  }
  return list
}

const bitsOf = (address: string): number => (isIPv4(address) ? 32 : 128)

function isCidr(entry: string): boolean {
  const [address = '', prefix, ...more] = entry.split('/')
  if (isIP(address) === 0 || address.includes('%') || more.length > 0) return false
  return prefix === undefined || (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= bitsOf(address))
}

/** The eight groups of a valid IPv6 address. */
function groupsOf(address: string): readonly number[] {
  const [plain = ''] = address.split('%', 1)
  const [head = '', tail] = plain.split('::')
  const before = numbersOf(head)
  const after = tail === undefined ? [] : numbersOf(tail)
  return [
    ...before,
    ...Array.from({ length: GROUPS - before.length - after.length }, () => 0),
    ...after
  ]
}

function numbersOf(part: string): readonly number[] {
  if (part === '') return []
  return part
    .split(':')
    .flatMap(group => (group.includes('.') ? pairOf(group) : [Number.parseInt(group, 16)]))
}

function pairOf(ipv4: string): readonly number[] {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split('.').map(Number)
  return [a * 256 + b, c * 256 + d]
}

function embeddedIpv4(groups: readonly number[]): string {
  return groups
    .slice(6)
    .flatMap(group => [group >> 8, group & 0xff])
    .join('.')
}

const startsWith = (groups: readonly number[], prefix: readonly number[]): boolean =>
  prefix.every((value, index) => groups[index] === value)
