/**
 * What a program needs to know about its queue on SQS.
 *
 * Units   in the names: _S seconds.
 */

import type { SettingsReading, Values } from '../../config/environment.js'
import { defineSettings } from '../../config/setting.js'

export const SQS_SETTINGS = defineSettings('Queue', {
  AWS_ACCESS_KEY_ID: {
    type: 'string',
    secret: true,
    description: 'Access key; if absent, the AWS SDK’s standard credential chain is used'
  },
  AWS_SECRET_ACCESS_KEY: {
    type: 'string',
    secret: true,
    description: 'Secret key, together with AWS_ACCESS_KEY_ID'
  },
  AWS_SESSION_TOKEN: {
    type: 'string',
    secret: true,
    description: 'Session token of temporary credentials'
  },
  AWS_REGION: {
    type: 'string',
    pattern: '^[a-z0-9-]+$',
    shape: 'a region name such as us-east-1',
    description: 'Region of the queue; us-east-1 if only AWS_ENDPOINT is set'
  },
  AWS_ENDPOINT: {
    type: 'string',
    pattern: '^https?://[^/]+/?$',
    shape: 'http(s)://host:port',
    description: 'Endpoint of LocalStack, ElasticMQ or another emulator; if absent, AWS itself'
  },
  QUEUE_NAME: {
    type: 'string',
    pattern: '^[A-Za-z0-9_-]{1,80}$',
    shape: '1 to 80 letters, digits, hyphens and underscores (a standard queue, not FIFO)',
    description: 'Queue to create or open'
  },
  DEAD_LETTER_QUEUE_NAME: {
    type: 'string',
    pattern: '^[A-Za-z0-9_-]{1,80}$',
    shape: '1 to 80 letters, digits, hyphens and underscores',
    description:
      'Dead-letter queue to create or open; default: QUEUE_NAME followed by -dead-letters'
  },
  MAX_RECEIVE_COUNT: {
    type: 'integer',
    default: 10,
    minimum: 1,
    maximum: 1_000,
    description:
      'Receives after which the queue moves a message to the dead-letter queue ' +
      '(set when the queue is created); below 4, a message that kills its process cannot be told from its batch-mates'
  },
  QUEUE_RETENTION_S: {
    type: 'integer',
    default: 86_400,
    minimum: 60,
    maximum: 1_209_600,
    description: 'How long the queue keeps a message (set when the queue is created)'
  },
  VISIBILITY_TIMEOUT_S: {
    type: 'integer',
    default: 60,
    minimum: 2,
    maximum: 43_200,
    description:
      'How long a received message stays invisible to others; extended after half of it while the message is in flight'
  },
  WAIT_TIME_S: {
    type: 'integer',
    default: 20,
    minimum: 0,
    maximum: 20,
    description: 'How long a receive waits at an empty queue (long polling)'
  },
  SQS_TRANSPORT: {
    type: 'string',
    default: 'lean',
    enum: ['lean', 'sdk'],
    description:
      'Client for the frequent calls: lean is our own and needs a fraction of the CPU, sdk is the AWS SDK'
  }
})

type SqsSettings = typeof SQS_SETTINGS.settings

export interface AwsConfig {
  readonly region: string
  /** Absent: AWS itself. */
  readonly endpoint?: string
  /** Absent: the SDK's standard credential chain. */
  readonly credentials?: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
}

export interface QueueConfig {
  readonly queueName: string
  readonly deadLetterQueueName: string
  readonly maxReceiveCount: number
  readonly retentionS: number
  readonly deadLetterRetentionS: number
  readonly visibilityTimeoutS: number
  readonly waitTimeS: number
  readonly transport: Values<SqsSettings>['SQS_TRANSPORT']
}

/** Embedded SQS accepts any credentials, but the protocol needs some. */
export const EMBEDDED_AWS = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' }
} as const
/**
 * A dead letter keeps the timestamp of its sending, so the dead-letter queue must keep
 * messages longer than the queue: 14 days, SQS's maximum.
 */
const DEAD_LETTER_RETENTION_S = 1_209_600

/** `embeddedName` is used where QUEUE_NAME is not set. */
export function readQueue(values: Values<SqsSettings>, embeddedName: string): QueueConfig {
  const queueName = values.QUEUE_NAME ?? embeddedName
  return {
    queueName,
    deadLetterQueueName: values.DEAD_LETTER_QUEUE_NAME ?? `${queueName.slice(0, 67)}-dead-letters`,
    maxReceiveCount: values.MAX_RECEIVE_COUNT,
    retentionS: values.QUEUE_RETENTION_S,
    deadLetterRetentionS: DEAD_LETTER_RETENTION_S,
    visibilityTimeoutS: values.VISIBILITY_TIMEOUT_S,
    waitTimeS: values.WAIT_TIME_S,
    transport: values.SQS_TRANSPORT
  }
}

/** Adds what is missing to the problems. */
export function readAws({ values, problems }: SettingsReading<SqsSettings>): AwsConfig {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_ENDPOINT: endpoint
  } = values
  if (accessKeyId !== undefined && secretAccessKey === undefined)
    problems.push('AWS_SECRET_ACCESS_KEY is missing (AWS_ACCESS_KEY_ID is set)')
  if (accessKeyId === undefined && secretAccessKey !== undefined)
    problems.push('AWS_ACCESS_KEY_ID is missing (AWS_SECRET_ACCESS_KEY is set)')
  const region = values.AWS_REGION ?? (endpoint === undefined ? undefined : EMBEDDED_AWS.region)
  if (region === undefined)
    problems.push('AWS_REGION is missing (the region of the queue, such as us-east-1)')
  const credentials =
    accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : {
          credentials: {
            accessKeyId,
            secretAccessKey,
            ...(sessionToken === undefined ? {} : { sessionToken })
          }
        }
  return { region: region ?? '', ...(endpoint === undefined ? {} : { endpoint }), ...credentials }
}
