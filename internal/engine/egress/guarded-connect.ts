/**
 * Opens connections for undici, only to addresses that the rules allow.
 *
 * Shapes  a name is resolved once. All its addresses are judged, and the connection gets
 *         exactly those, so no second DNS answer can lead elsewhere. An address in the
 *         URL itself is judged before connecting: Node makes no lookup for it.
 * Units   milliseconds.
 * Errors  RefusedAddressError naming the range; LookupError; any error of sockets and
 *         TLS.
 * Source  one forbidden address among several refuses them all: only an attacker has a
 *         reason for such a record, and which of them is used would be chance.
 */
import { isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import type { AddressRules } from './address.js'
import { LookupError, type Resolve, type ResolvedAddress } from './resolve.js'

export class RefusedAddressError extends Error {
  override readonly name = 'RefusedAddressError'

  constructor(address: string, range: string) {
    super(`${address} is not a public address (${range})`)
  }
}

export interface GuardedConnectOptions {
  readonly addresses: AddressRules
  readonly resolve: Resolve
  readonly connectTimeoutMs: number
}

/**
 * How long before the next address is tried. Node's default of 250 ms is shorter than a
 * round trip to another continent.
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
    // Explicit, so that no environment variable can turn it off.
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
