/**
 * Resolves names by asking the DNS servers directly.
 *
 * Shapes  a name in; all its IPv4 and then all its IPv6 addresses out. The server that is
 *         asked follows aliases.
 * Units   milliseconds.
 * Errors  LookupError with the DNS code (`ENOTFOUND`, `ESERVFAIL`, `ETIMEOUT` …) when
 *         neither family has an address.
 * Source  `dns.lookup` occupies one of the process's four threads for as long as the
 *         slowest server takes, and may use half of them: two names with dead servers
 *         would stop all others. These queries occupy none. The price: they do not read
 *         /etc/hosts, so names of this machine, which only an allow list lets through,
 *         still go through `dns.lookup`.
 */
import { lookup, Resolver } from 'node:dns/promises'

export interface ResolvedAddress {
  readonly address: string
  readonly family: 4 | 6
}

export type Resolve = (name: string) => Promise<readonly ResolvedAddress[]>

export class LookupError extends Error {
  override readonly name = 'LookupError'
  readonly code: string

  constructor(code: string, cause?: unknown) {
    super(`the name cannot be resolved: ${code}`, { cause })
    this.code = code
  }
}

const QUERY_TIMEOUT_MS = 2_000
const TRIES = 2

export function createResolve(
  resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: TRIES })
): Resolve {
  return async name => {
    if (!name.replace(/[.]$/, '').includes('.') || /(^|[.])localhost[.]?$/.test(name))
      return lookUpHere(name)
    const [ipv4, ipv6] = await Promise.allSettled([
      resolver.resolve4(name),
      resolver.resolve6(name)
    ])
    const found = [...addressesOf(ipv4, 4), ...addressesOf(ipv6, 6)]
    if (found.length > 0) return found
    throw asLookupError(ipv4.status === 'rejected' ? ipv4.reason : undefined)
  }
}

async function lookUpHere(name: string): Promise<readonly ResolvedAddress[]> {
  const found = await lookup(name, { all: true }).catch((error: unknown) => {
    throw asLookupError(error)
  })
  return found.map(({ address, family }) => ({ address, family: family === 4 ? 4 : 6 }))
}

function addressesOf(result: PromiseSettledResult<string[]>, family: 4 | 6): ResolvedAddress[] {
  return result.status === 'fulfilled' ? result.value.map(address => ({ address, family })) : []
}

function asLookupError(error: unknown): LookupError {
  const code = (error as { readonly code?: unknown } | undefined)?.code
  return new LookupError(typeof code === 'string' ? code : 'ENOTFOUND', error)
}
