/**
 * An SQSClient whose frequent calls bypass the SDK, which would cost seven times the CPU.
 *
 * Shapes  a frequent call is signed and sent here once, and a good answer is returned at
 *         once. Everything else is the SDK's: other commands, unusual inputs, and any
 *         first attempt without a good answer. The SDK gets that outcome as the one of
 *         its own first attempt, and goes on from there: it makes the typed error,
 *         corrects the clock, backs off, tries again over its own connections, and gives
 *         up after `maxAttempts`. Credentials, region and endpoint are the SDK's own too.
 *         Middleware added to the client sees the first attempt of a frequent call only
 *         if it failed.
 * Units   milliseconds.
 * Errors  those of the SDK.
 */
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs'
import { type Clock, systemClock } from '../../../lifecycle/clock.js'
import { type AwsCredentials, createCredentialCache } from './credential-cache.js'
import { type Fields, HOT_CALLS, type HotCall, isFields } from './hot-calls.js'
import { createHttpPool, type HttpPool, type HttpReply } from './http-pool.js'
import { learnRoute } from './route.js'
import { type FirstAttempt, isSdkCommand, resume, type SdkCommand } from './sdk-command.js'
import { createSignedRoute, type SignedRoute } from './signed-route.js'

export interface LeanClientOptions {
  readonly config: SQSClientConfig
  /** Sockets per host. */
  readonly maxSockets: number
  readonly connectTimeoutMs: number
  readonly clock?: Clock
}

/**
 * How much longer than a long poll an answer may take. Less than the callers' own
 * deadline, so that a dead connection leaves time for another attempt.
 */
const ANSWER_MARGIN_MS = 5_000
/**
 * At full load a new connection per minute: often enough to follow the service's
 * addresses, too rarely to cost anything.
 */
const REQUESTS_PER_CONNECTION = 5_000
/** Errors that newer credentials may fix. */
const REFUSED_CREDENTIALS = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'UnrecognizedClientException'
])

type Send = (command: unknown, options?: unknown, callback?: unknown) => Promise<unknown>

export function createLeanClient(options: LeanClientOptions): SQSClient {
  const { clock = systemClock } = options
  const client = new SQSClient(options.config)
  const sendBySdk = client.send.bind(client) as Send
  const destroySdk = client.destroy.bind(client)
  const checkMd5 = client.config.md5 !== false
  const credentialCache = createCredentialCache(client.config.credentials, clock)
  const pools = new Map<string, HttpPool>()
  const routes = new Map<string, SignedRoute | null>()

  const poolOf = (origin: string): HttpPool => {
    let pool = pools.get(origin)
    if (pool === undefined) {
      pool = createHttpPool({
        origin,
        connections: options.maxSockets,
        connectTimeoutMs: options.connectTimeoutMs,
        bodyTimeoutMs: ANSWER_MARGIN_MS,
        requestsPerConnection: REQUESTS_PER_CONNECTION
      })
      pools.set(origin, pool)
    }
    return pool
  }

  const openRoute = async (queueUrl: string): Promise<SignedRoute | null> => {
    const route = await learnRoute(sendBySdk, queueUrl)
    const signed = route === null ? null : createSignedRoute(route, poolOf(route.origin))
    routes.set(queueUrl, signed)
    return signed
  }

  const sendHot = async (
    hot: HotCall,
    command: SdkCommand,
    queueUrl: string,
    signal: AbortSignal | null
  ): Promise<unknown> => {
    const sdkOptions = signal === null ? {} : { abortSignal: signal }
    const known = routes.get(queueUrl)
    const route = known === undefined ? await openRoute(queueUrl) : known
    if (route === null) return sendBySdk(command, sdkOptions)
    const credentials = credentialCache.held() ?? (await credentialCache.ask())
    const first = await attempt(hot, route, command.input, credentials, signal)
    if ('error' in first && signal?.aborted === true) throw first.error
    if ('reply' in first && first.reply.status === 200) {
      const answer = wholeAnswer(hot, command.input, first.reply)
      if (answer !== null) return answer
    }
    try {
      return await sendBySdk(resume(command, first), sdkOptions)
    } catch (error) {
      if (error instanceof Error && REFUSED_CREDENTIALS.has(error.name))
        credentialCache.discard(credentials)
      throw error
    }
  }

  const attempt = async (
    { target, waitTimeS }: HotCall,
    route: SignedRoute,
    input: Fields,
    credentials: AwsCredentials,
    signal: AbortSignal | null
  ): Promise<FirstAttempt> => {
    try {
      const epochMs = clock.epochMs() + client.config.systemClockOffset
      const headersTimeoutMs = waitTimeS(input) * 1_000 + ANSWER_MARGIN_MS
      return {
        reply: await route.post({
          target,
          body: JSON.stringify(input),
          credentials,
          epochMs,
          headersTimeoutMs,
          signal
        })
      }
    } catch (error) {
      return { error }
    }
  }

  const wholeAnswer = (hot: HotCall, input: Fields, reply: HttpReply): Fields | null => {
    try {
      const answer: unknown = JSON.parse(reply.body.toString('utf8'))
      if (!isFields(answer) || !hot.isWhole(answer, input, checkMd5)) return null
      return Object.assign(answer, { $metadata: metadataOf(reply) })
    } catch {
      return null
    }
  }

  const send: Send = (command, sendOptions, callback) => {
    const hot = isSdkCommand(command) ? HOT_CALLS.get(command.constructor) : undefined
    const signal = signalIn(sendOptions)
    if (hot === undefined || signal === undefined || callback !== undefined)
      return sendBySdk(command, sendOptions, callback)
    const hotCommand = command as SdkCommand
    const queueUrl = hotCommand.input['QueueUrl']
    if (typeof queueUrl !== 'string' || !hot.canSend(hotCommand.input))
      return sendBySdk(command, sendOptions)
    return sendHot(hot, hotCommand, queueUrl, signal)
  }

  return Object.assign(client, {
    send: send as SQSClient['send'],
    destroy() {
      for (const pool of pools.values()) pool.destroy()
      destroySdk()
    }
  })
}

/**
 * Null without a signal; undefined if the options ask for something that only the SDK
 * does.
 */
function signalIn(options: unknown): AbortSignal | null | undefined {
  if (options === undefined) return null
  if (!isFields(options)) return undefined
  const { abortSignal = null, ...others } = options
  if (Object.keys(others).length > 0) return undefined
  return abortSignal === null || abortSignal instanceof AbortSignal ? abortSignal : undefined
}

function metadataOf({ status, headers }: HttpReply): Fields {
  const requestId = headers['x-amzn-requestid'] ?? headers['x-amz-request-id']
  return { httpStatusCode: status, requestId, attempts: 1, totalRetryDelay: 0 }
}
