/**
 * Learns from the SDK where the calls for a queue go and how they are signed, so that its
 * rules (regions, endpoints, FIPS, dual stack, queue URLs, environment and profile
 * settings) are followed without being repeated.
 *
 * Shapes  the SDK prepares a receive up to the signed request, which is then not sent.
 *         Null if this transport cannot do the same.
 * Errors  those of the SDK: no region, no credentials, an invalid endpoint.
 */
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { type Fields, isFields } from './hot-calls.js'
import { interceptRequest } from './sdk-command.js'
import type { SigningScope } from './sign.js'

export interface Route {
  /** E.g. `https://sqs.eu-west-1.amazonaws.com`. */
  readonly origin: string
  /** As the `host` header has it. */
  readonly host: string
  readonly path: string
  readonly scope: SigningScope
}

const SIGNED_V4 = /^AWS4-HMAC-SHA256 Credential=.*\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request, /
/** Paths that mean the same encoded, decoded and normalised. */
const PLAIN_PATH = /^(\/[A-Za-z0-9_-]+)*\/$/

export async function learnRoute(
  send: (command: ReceiveMessageCommand) => Promise<unknown>,
  queueUrl: string
): Promise<Route | null> {
  const command = new ReceiveMessageCommand({ QueueUrl: queueUrl })
  let learned: Route | null = null
  interceptRequest(command, request => {
    learned = routeOf(request)
  })
  await send(command)
  return learned
}

function routeOf({ protocol, hostname, port, path, query, headers }: Fields): Route | null {
  const authorization = isFields(headers) ? headers['authorization'] : undefined
  const [, region, service] =
    typeof authorization === 'string' ? (SIGNED_V4.exec(authorization) ?? []) : []
  if (region === undefined || service === undefined) return null
  if (protocol !== 'http:' && protocol !== 'https:') return null
  if (typeof hostname !== 'string' || typeof path !== 'string' || !PLAIN_PATH.test(path))
    return null
  if (isFields(query) && Object.keys(query).length > 0) return null
  const { origin, host } = new URL(
    `${protocol}//${hostname}${typeof port === 'number' ? `:${port}` : ''}`
  )
  return { origin, host, path, scope: { region, service } }
}
