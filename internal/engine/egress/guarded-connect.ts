/**
 * Opens connections for undici, to addresses that the rules allow and to no other.
 *
 * Shapes  a name is resolved once; all its addresses are judged, and the connection gets
 *         exactly those, so no second answer of the DNS can lead elsewhere. Of an address
 *         in the URL itself the platform makes no lookup: it is judged before.
 * Units   milliseconds.
 * Errors  RefusedAddressError naming the range; LookupError; whatever socket and TLS say.
 * Source  one forbidden address among several refuses them all: nobody has such a record
 *         for a reason that is not an attack, and which of them is used would be chance.
 */
import { isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import type { AddressRules } from './address.js'
import { LookupError, type Resolve, type ResolvedAddress } from './resolve.js'

export class RefusedAddressError extends Error {
  override readonly name = 'RefusedAddressError'

  constructor(address: string, range: string) {
    super(`${address} is no address of the Internet (${range})`)
  }
}

export interface GuardedConnectOptions {
  readonly addresses: AddressRules
  readonly resolve: Resolve
  readonly connectTimeoutMs: number
}

/**
 * When the first address does not answer the next one gets its turn; slower than the
 * platform's 250 ms, which is less than a far country.
 */
const NEXT_ADDRESS_MS = 1_000

export function createGuardedConnect({
  addresses,
  resolve,
  connectTimeoutMs
}: GuardedConnectOptions): buildConnector.connector {
  const assertAllowed = (address: string): void => {
    const range = addresses.forbiddenRange(address)
    if (range !== null) throw new RefusedAddressError(address, range)
  }
  const lookUp = async (name: string): Promise<readonly ResolvedAddress[]> => {
    const found = await resolve(name)
    if (found.length === 0) throw new LookupError('ENODATA')
    for (const { address } of found) assertAllowed(address)
    return found
  }
  const lookup: LookupFunction = (name, { all }, callback) => {
    lookUp(name).then(
      found => {
        const [first] = found
        if (all === true || first === undefined) callback(null, [...found])
        else callback(null, first.address, first.family)
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), [])
    )
  }
  const connect = buildConnector({
    lookup,
    timeout: connectTimeoutMs,
    allowH2: false,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
    // Said aloud, so that no variable of the environment can turn it off.
    rejectUnauthorized: true
  })
  return (options, callback) => {
    const literal = options.hostname.replace(/^\[(.*)\]$/, '$1')
    try {
      if (isIP(literal) !== 0) assertAllowed(literal)
    } catch (error) {
      queueMicrotask(() => callback(error as Error, null))
      return
    }
    connect({ ...options, hostname: literal }, callback)
  }
}
