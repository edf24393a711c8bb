/**
 * Signs and posts the calls of one queue.
 *
 * Shapes  the signer lives as long as the credentials it was made from. A request that is
 *         sent again within the same second, as idle or parallel receives are, is the
 *         same to the byte and is not signed anew.
 * Units   milliseconds.
 * Errors  those of the connection pool.
 */
import type { AwsCredentials } from './credential-cache.js'
import type { HttpPool, HttpReply } from './http-pool.js'
import type { Route } from './route.js'
import { awsDate, createRequestSigner, type RequestSigner, sha256 } from './sign.js'

export interface SignedCall {
  readonly target: string
  readonly body: string
  readonly credentials: AwsCredentials
  readonly epochMs: number
  readonly headersTimeoutMs: number
  readonly signal: AbortSignal | null
}

export interface SignedRoute {
  post(call: SignedCall): Promise<HttpReply>
}

interface Signed {
  readonly body: string
  readonly second: number
  readonly credentials: AwsCredentials
  readonly headers: string[]
}

const CONTENT_TYPE = 'application/x-amz-json-1.0'

export function createSignedRoute({ host, path, scope }: Route, pool: HttpPool): SignedRoute {
  let owner: AwsCredentials | null = null
  let signer: RequestSigner | null = null
  let dateSecond = -1
  let date = ''
  const lastSigned = new Map<string, Signed>()

  const sign = (call: SignedCall, second: number): string[] => {
    const { credentials, target, body } = call
    if (signer === null || credentials !== owner) {
      owner = credentials
      signer = createRequestSigner(credentials, scope)
    }
    if (second !== dateSecond) {
      dateSecond = second
      date = awsDate(second * 1_000)
    }
    const token = credentials.sessionToken
    const headers: [string, string][] = [
      ['content-type', CONTENT_TYPE],
      ['host', host],
      ['x-amz-date', date]
    ]
    if (token !== undefined) headers.push(['x-amz-security-token', token])
    headers.push(['x-amz-target', target], ['x-amzn-query-mode', 'true'])
    const authorization = signer.authorization(
      { method: 'POST', path, query: '', headers, bodyHash: sha256(body) },
      date
    )
    return [...headers.flat(), 'authorization', authorization]
  }

  return {
    post(call) {
      const { body, credentials, target, headersTimeoutMs, signal } = call
      const second = Math.floor(call.epochMs / 1_000)
      let signed = lastSigned.get(target)
      if (
        signed === undefined ||
        signed.second !== second ||
        signed.credentials !== credentials ||
        signed.body !== body
      ) {
        signed = { body, second, credentials, headers: sign(call, second) }
        lastSigned.set(target, signed)
      }
      return pool.post({ path, headers: signed.headers, body, headersTimeoutMs, signal })
    }
  }
}
