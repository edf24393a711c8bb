/**
 * The AWS client for SQS, set up for long polling and for emulators.
 *
 * Over the `lean` transport (transport/lean-client.ts) the frequent calls cost a seventh
 * of the CPU; `sdk` is the SDK alone.
 *
 * Units   milliseconds.
 * Source  with the SDK's defaults a request has no time limit at all and 50 sockets serve
 *         everything; a client that follows queue URLs goes to the host that an emulator
 *         believes it has.
 */
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs'
import { createLeanClient } from './transport/lean-client.js'

export type SqsTransport = 'lean' | 'sdk'

export interface SqsClientOptions {
  readonly region: string
  /** Absent: real AWS. */
  readonly endpoint?: string
  /** Absent: the SDK's own chain (environment, profile, container, instance). */
  readonly credentials?: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
  /** Calls at the same time: at least one per poller, plus those that settle. */
  readonly maxSockets: number
  /** Absent: `lean`. */
  readonly transport?: SqsTransport
}

const CONNECTION_TIMEOUT_MS = 3_000
/**
 * Longer than the longest long poll (20 s): a socket that is silent for this long is
 * dead.
 */
const SOCKET_TIMEOUT_MS = 35_000

export function createSqsClient({
  region,
  endpoint,
  credentials,
  maxSockets,
  transport = 'lean'
}: SqsClientOptions): SQSClient {
  const agent = { keepAlive: true, maxSockets }
  const config: SQSClientConfig = {
    region,
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
      httpAgent: agent,
      httpsAgent: agent
    }
  }
  if (credentials !== undefined) config.credentials = credentials
  if (endpoint !== undefined) {
    config.endpoint = endpoint
    config.useQueueUrlAsEndpoint = false
  }
  return transport === 'sdk'
    ? new SQSClient(config)
    : createLeanClient({ config, maxSockets, connectTimeoutMs: CONNECTION_TIMEOUT_MS })
}
