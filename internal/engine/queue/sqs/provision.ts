/**
 * Creates or opens the queue and its dead-letter queue.
 *
 * Shapes  an existing queue is opened and never changed, with one exception: a queue
 *         without a dead-letter target gets ours, because `maxReceiveCount` alone does
 *         nothing. Any other difference from the options is a sentence in `notes`. Many
 *         processes may do this at once: a later one finds the queue or gets the same
 *         answer from CreateQueue.
 * Units   seconds.
 * Errors  QueueError, `InvalidQueueName` for an invalid name; missing rights to an
 *         existing queue are a note.
 * Source  Amazon SQS developer guide: a message keeps its age when it moves to the
 *         dead-letter queue, so that queue must keep messages longer.
 */
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SetQueueAttributesCommand
} from '@aws-sdk/client-sqs'
import { type Clock, systemClock } from '../../lifecycle/clock.js'
import { QueueError } from '../queue.js'
import { asQueueError, isDenied, isExistingQueue, isMissingQueue } from './aws-error.js'
import { CALL_DEADLINE_MS, type SqsSender, withDeadline } from './call.js'

export interface OpenQueueOptions {
  readonly queueName: string
  readonly deadLetterQueueName: string
  /** Deliveries after which a message goes to the dead-letter queue. */
  readonly maxReceiveCount: number
  readonly retentionS: number
  readonly deadLetterRetentionS: number
  readonly visibilityTimeoutS: number
  readonly clock?: Clock
}

export interface OpenedQueue {
  /** As the server answered it; its host may differ from the endpoint. */
  readonly queueUrl: string
  /** Null if it could not be determined. */
  readonly deadLetterQueueUrl: string | null
  readonly created: boolean
  /** What the operator should know. */
  readonly notes: readonly string[]
}

interface RedriveTarget {
  readonly arn: string
  readonly maxReceiveCount: number
}

/** A new queue may stay unknown to the next calls for about a second. */
const NEW_QUEUE_ATTEMPTS = 5
const NEW_QUEUE_WAIT_MS = 500

export async function openQueue(sqs: SqsSender, options: OpenQueueOptions): Promise<OpenedQueue> {
  const { queueName, deadLetterQueueName } = options
  assertQueueName(queueName)
  assertQueueName(deadLetterQueueName)
  if (queueName === deadLetterQueueName)
    throw new QueueError('InvalidQueueName', `"${queueName}" cannot be its own dead-letter queue`)
  const calls = createCalls(sqs, options.clock ?? systemClock)

  const existingUrl = await calls.findUrl(queueName)
  if (existingUrl !== null) return openExisting(calls, existingUrl, options)

  const deadLetter = await openDeadLetterQueue(calls, options)
  try {
    const queueUrl = await calls.create(queueName, {
      DelaySeconds: '0',
      MessageRetentionPeriod: String(options.retentionS),
      VisibilityTimeout: String(options.visibilityTimeoutS),
      RedrivePolicy: redrivePolicy(deadLetter.arn, options.maxReceiveCount)
    })
    return { queueUrl, deadLetterQueueUrl: deadLetter.url, created: true, notes: deadLetter.notes }
  } catch (error) {
    // Another process was quicker, and created it with other attributes.
    const url = isExistingQueue(asQueueError(error)) ? await calls.findUrl(queueName) : null
    if (url === null) throw error
    return openExisting(calls, url, options)
  }
}

async function openExisting(
  calls: Calls,
  queueUrl: string,
  options: OpenQueueOptions
): Promise<OpenedQueue> {
  const { queueName, deadLetterQueueName, maxReceiveCount } = options
  const opened = (deadLetterQueueUrl: string | null, notes: readonly string[]): OpenedQueue => ({
    queueUrl,
    deadLetterQueueUrl,
    created: false,
    notes
  })
  try {
    const attributes = await calls.attributes(queueUrl)
    const target = readRedriveTarget(attributes['RedrivePolicy'])
    const isOurs = target === null || nameInArn(target.arn) === deadLetterQueueName
    if (!isOurs) {
      const url = await calls.findUrl(nameInArn(target.arn), accountInArn(target.arn))
      return opened(url, [
        `${queueName} sends its dead letters to ${target.arn}, not to ${deadLetterQueueName}: left as it is`
      ])
    }
    const deadLetter = await openDeadLetterQueue(calls, options)
    if (target === null) {
      await calls.setAttributes(queueUrl, {
        RedrivePolicy: redrivePolicy(deadLetter.arn, maxReceiveCount)
      })
      return opened(deadLetter.url, [
        ...deadLetter.notes,
        `${queueName} had no dead-letter queue: it now has ${deadLetterQueueName}`
      ])
    }
    const differs = target.maxReceiveCount !== maxReceiveCount
    const note = `${queueName} gives up a message after ${target.maxReceiveCount} receives, not ${maxReceiveCount}: left as it is`
    return opened(deadLetter.url, differs ? [...deadLetter.notes, note] : deadLetter.notes)
  } catch (error) {
    const failure = asQueueError(error)
    if (!isDenied(failure)) throw failure
    return opened(null, [
      `the dead-letter queue of ${queueName} could not be checked: ${failure.message} (${failure.code})`
    ])
  }
}

async function openDeadLetterQueue(
  calls: Calls,
  options: OpenQueueOptions
): Promise<{ url: string; arn: string; notes: string[] }> {
  const { deadLetterQueueName: name, deadLetterRetentionS, retentionS } = options
  const foundUrl = await calls.findUrl(name)
  const url =
    foundUrl ??
    (await calls.createOrFind(name, { MessageRetentionPeriod: String(deadLetterRetentionS) }))
  const attributes = await calls.attributes(url)
  const arn = attributes['QueueArn']
  if (arn === undefined) throw new QueueError('InvalidResponse', `${name} has no QueueArn`)
  const keptS = Number(attributes['MessageRetentionPeriod'])
  const notes =
    keptS <= retentionS
      ? [
          `${name} keeps messages for ${keptS} s, no longer than the queue itself: dead letters may expire`
        ]
      : []
  return { url, arn, notes }
}

type Calls = ReturnType<typeof createCalls>

function createCalls(sqs: SqsSender, clock: Clock) {
  const call = <T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    withDeadline(clock, CALL_DEADLINE_MS, run)
  const wait = (ms: number): Promise<void> => new Promise(resolve => clock.after(ms, resolve))

  async function findUrl(name: string, account?: string): Promise<string | null> {
    const owner = account === undefined ? {} : { QueueOwnerAWSAccountId: account }
    const command = new GetQueueUrlCommand({ QueueName: name, ...owner })
    try {
      return (await call(signal => sqs.send(command, { abortSignal: signal }))).QueueUrl ?? null
    } catch (error) {
      if (isMissingQueue(asQueueError(error))) return null
      throw error
    }
  }

  async function create(name: string, attributes: Record<string, string>): Promise<string> {
    const command = new CreateQueueCommand({ QueueName: name, Attributes: attributes })
    const { QueueUrl: url } = await call(signal => sqs.send(command, { abortSignal: signal }))
    if (url === undefined) throw new QueueError('InvalidResponse', `${name} has no QueueUrl`)
    return url
  }

  return {
    findUrl,
    create,
    async createOrFind(name: string, attributes: Record<string, string>): Promise<string> {
      try {
        return await create(name, attributes)
      } catch (error) {
        const url = isExistingQueue(asQueueError(error)) ? await findUrl(name) : null
        if (url === null) throw error
        return url
      }
    },
    async attributes(queueUrl: string): Promise<Record<string, string>> {
      const command = new GetQueueAttributesCommand({
        QueueUrl: queueUrl,
        AttributeNames: ['QueueArn', 'RedrivePolicy', 'MessageRetentionPeriod']
      })
      for (let attempt = 1; ; attempt++) {
        try {
          return (await call(signal => sqs.send(command, { abortSignal: signal }))).Attributes ?? {}
        } catch (error) {
          if (attempt === NEW_QUEUE_ATTEMPTS || !isMissingQueue(asQueueError(error))) throw error
          await wait(NEW_QUEUE_WAIT_MS)
        }
      }
    },
    async setAttributes(queueUrl: string, attributes: Record<string, string>): Promise<void> {
      const command = new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes: attributes })
      await call(signal => sqs.send(command, { abortSignal: signal }))
    }
  }
}

function assertQueueName(name: string): void {
  if (name.endsWith('.fifo')) {
    throw new QueueError(
      'InvalidQueueName',
      `"${name}" names a FIFO queue; this program needs a standard queue`
    )
  }
  if (!/^[A-Za-z0-9_-]{1,80}$/.test(name)) {
    throw new QueueError(
      'InvalidQueueName',
      `"${name}" is not a queue name: use 1 to 80 letters, digits, hyphens and underscores`
    )
  }
}

/**
 * Always the same text for the same values: otherwise two processes that create the queue
 * at once would disagree.
 */
function redrivePolicy(arn: string, maxReceiveCount: number): string {
  return JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: String(maxReceiveCount) })
}

function readRedriveTarget(policy: string | undefined): RedriveTarget | null {
  if (policy === undefined || policy === '') return null
  const { deadLetterTargetArn: arn, maxReceiveCount } = JSON.parse(policy) as {
    deadLetterTargetArn?: unknown
    maxReceiveCount?: unknown
  }
  return typeof arn === 'string' && arn !== ''
    ? { arn, maxReceiveCount: Number(maxReceiveCount) }
    : null
}

// arn:aws:sqs:region:account:name
const nameInArn = (arn: string): string => arn.split(':')[5] ?? arn
const accountInArn = (arn: string): string | undefined => arn.split(':')[4]
