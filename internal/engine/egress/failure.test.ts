import t from 'tap'
import { classifyFailure } from './failure.js'
import { RefusedAddressError } from './guarded-connect.js'
import { LookupError } from './resolve.js'

const coded = (code: string, more: object = {}): Error =>
  Object.assign(new Error('words'), { code, ...more })

t.test('each known failure has its class, and its code as the detail', async t => {
  const rows = [
    ['ECONNREFUSED', 'connect-refused'],
    ['UND_ERR_CONNECT_TIMEOUT', 'connect-timeout'],
    ['EHOSTUNREACH', 'unreachable'],
    ['ENETUNREACH', 'unreachable'],
    ['ECONNRESET', 'reset'],
    ['EPIPE', 'reset'],
    ['UND_ERR_SOCKET', 'reset'],
    ['EPROTO', 'tls'],
    ['CERT_HAS_EXPIRED', 'tls'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'tls'],
    ['UND_ERR_HEADERS_OVERFLOW', 'protocol'],
    ['UND_ERR_DESTROYED', 'stopped'],
    ['UND_ERR_INVALID_ARG', 'other'],
    ['EMFILE', 'other']
  ] as const
  for (const [code, errorClass] of rows)
    t.same(classifyFailure(coded(code)), { errorClass, detail: code }, code)
})

t.test('a failed lookup is never blamed on the recipient', async t => {
  for (const code of ['ENOTFOUND', 'ECONNREFUSED', 'ETIMEOUT'])
    t.same(classifyFailure(new LookupError(code)), { errorClass: 'dns', detail: code }, code)
})

t.test('a refused address is named with the reason', async t => {
  t.same(classifyFailure(new RefusedAddressError('10.0.0.1', 'private')), {
    errorClass: 'refused-address',
    detail: '10.0.0.1 is not a public address (private)'
  })
})

t.test('a network timeout is classified by what it interrupted', async t => {
  t.match(classifyFailure(coded('ETIMEDOUT', { syscall: 'connect' })), {
    errorClass: 'connect-timeout'
  })
  t.match(classifyFailure(coded('ETIMEDOUT', { syscall: 'read' })), { errorClass: 'reset' })
})

t.test('the cause inside an undici error decides', async t => {
  t.same(classifyFailure(coded('UND_ERR_SOCKET', { cause: coded('EPIPE') })), {
    errorClass: 'reset',
    detail: 'EPIPE'
  })
  t.same(classifyFailure(coded('UND_ERR_SOCKET', { cause: new Error('x') })), {
    errorClass: 'reset',
    detail: 'UND_ERR_SOCKET'
  })
})

t.test('an unknown failure is `other`, with its name as the detail', async t => {
  t.same(classifyFailure(new TypeError('words')), { errorClass: 'other', detail: 'TypeError' })
  t.same(classifyFailure(Object.assign(new Error('x'), { code: 7 })), {
    errorClass: 'other',
    detail: 'Error'
  })
})
