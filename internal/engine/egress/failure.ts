/**
 * Classifies why there was no answer: errors of DNS, sockets, TLS and undici become one
 * of a closed set of classes.
 *
 * Shapes  an error in; its class and a short text for people out (a code, or which
 *         address was refused). Unknown errors are `other`.
 */
import { RefusedAddressError } from './guarded-connect.js'
import { LookupError } from './resolve.js'

export const ERROR_CLASSES = [
  'refused-url',
  'refused-address',
  'dns',
  'connect-refused',
  'connect-timeout',
  'unreachable',
  'tls',
  'reset',
  'deadline',
  'protocol',
  'stopped',
  'other'
] as const

export type ErrorClass = (typeof ERROR_CLASSES)[number]

export interface NoAnswer {
  readonly errorClass: ErrorClass
  readonly detail: string
}

const BY_CODE: ReadonlyMap<string, ErrorClass> = new Map([
  ['ECONNREFUSED', 'connect-refused'],
  ['UND_ERR_CONNECT_TIMEOUT', 'connect-timeout'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETUNREACH', 'unreachable'],
  ['EHOSTDOWN', 'unreachable'],
  ['ENETDOWN', 'unreachable'],
  ['EADDRNOTAVAIL', 'unreachable'],
  ['ECONNRESET', 'reset'],
  ['EPIPE', 'reset'],
  ['UND_ERR_SOCKET', 'reset'],
  ['EPROTO', 'tls'],
  ['UND_ERR_HEADERS_OVERFLOW', 'protocol'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'protocol'],
  ['UND_ERR_DESTROYED', 'stopped'],
  ['UND_ERR_CLOSED', 'stopped']
])

/** OpenSSL's verdicts on certificates, and what Node adds to them. */
const TLS_CODE =
  /^(ERR_(TLS|SSL|OSSL)_|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED)/

export function classifyFailure(error: Error): NoAnswer {
  if (error instanceof RefusedAddressError)
    return { errorClass: 'refused-address', detail: error.message }
  const code = codeOf(error)
  if (error instanceof LookupError) return { errorClass: 'dns', detail: error.code }
  // The same code comes from connecting and from an open connection.
  if (code === 'ETIMEDOUT')
    return {
      errorClass: syscallOf(error) === 'connect' ? 'connect-timeout' : 'reset',
      detail: code
    }
  return {
    errorClass: BY_CODE.get(code) ?? classOf(code, error.name),
    detail: code === '' ? error.name : code
  }
}

function classOf(code: string, name: string): ErrorClass {
  if (TLS_CODE.test(code)) return 'tls'
  return name === 'HTTPParserError' ? 'protocol' : 'other'
}

/** Undici puts the reason for a lost socket into the cause of its own error. */
function codeOf(error: Error & { readonly code?: unknown }): string {
  if (typeof error.code !== 'string') return ''
  const inner: unknown = error.code === 'UND_ERR_SOCKET' ? error.cause : undefined
  return inner instanceof Error && codeOf(inner) !== '' ? codeOf(inner) : error.code
}

function syscallOf(error: Error & { readonly syscall?: unknown }): unknown {
  return error.syscall
}
