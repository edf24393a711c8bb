/**
 * Sends messages to SQS.
 *
 * Shapes  a list that fits one call is sent as it is; a longer one call by call, in
 *         order.
 * Errors  a message that can never be sent is refused alone, without a call: SQS would
 *         refuse its whole batch. An entry that the answer does not name counts as failed
 *         and retryable. A server refuses groups if the same entries succeed without
 *         them: from then on groups are left out, and `onGroupsRefused` is called once.
 * Source  Amazon SQS API reference: SendMessageBatch; fair queues take MessageGroupId on
 *         a standard queue.
 */
import { SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import { type Clock, systemClock } from '../../lifecycle/clock.js'
import { ORIGIN_ATTRIBUTE } from '../origin.js'
import type { OutgoingMessage, QueueWriter, SendOutcome } from '../queue.js'
import { asQueueError, entryCode, isRetryableEntry } from './aws-error.js'
import { endOfBatch } from './batches.js'
import { CALL_DEADLINE_MS, type SqsSender, withDeadline } from './call.js'
import { toGroupId } from './group.js'
import {
  BATCH_ENTRIES,
  MAX_MESSAGE_BYTES,
  messageBytes,
  refusalOf,
  SQS_SEND_LIMITS
} from './limits.js'

export interface SqsWriterOptions {
  /** Stays the caller's: `close` leaves it alone. */
  readonly sqs: SqsSender
  readonly queueUrl: string
  readonly clock?: Clock
  readonly onGroupsRefused?: () => void
}

/** The codes with which servers without fair queues refuse the parameter. */
const REFUSALS_OF_GROUPS = new Set([
  'InvalidParameterValue',
  'InvalidParameterCombination',
  'InvalidParameter',
  'UnsupportedOperation'
])

/** Null: not known yet. */
type Outcomes = (SendOutcome | null)[]

export function createSqsWriter(options: SqsWriterOptions): QueueWriter {
  const { sqs, queueUrl, clock = systemClock, onGroupsRefused = () => undefined } = options
  let sendsGroups = true

  async function call(
    messages: readonly OutgoingMessage[],
    outcomes: Outcomes,
    withGroups: boolean
  ): Promise<void> {
    const entries = messages.flatMap((message, index) =>
      outcomes[index] === null ? [toEntry(message, index, withGroups)] : []
    )
    if (entries.length === 0) return
    const command = new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries })
    const answer = await withDeadline(clock, CALL_DEADLINE_MS, signal =>
      sqs.send(command, { abortSignal: signal })
    )
    for (const { Id, MessageId: id } of answer.Successful ?? []) {
      if (id !== undefined) outcomes[Number(Id)] = { id }
    }
    for (const { Id, Code, SenderFault } of answer.Failed ?? []) {
      const code = entryCode(Code)
      outcomes[Number(Id)] = { code, retryable: isRetryableEntry(code, SenderFault === true) }
    }
  }

  /** Repeats, without groups, what may have failed because of them. */
  async function withoutGroups(
    messages: readonly OutgoingMessage[],
    outcomes: Outcomes
  ): Promise<string | null> {
    const again = outcomes.map(outcome => (isRefusalOfGroup(outcome) ? null : outcome))
    let failure: string | null = null
    try {
      await call(messages, again, false)
    } catch (error) {
      failure = asQueueError(error).code
    }
    for (const [index, outcome] of again.entries()) {
      if (outcome !== null && 'id' in outcome && outcomes[index] !== outcome) {
        if (sendsGroups) onGroupsRefused()
        sendsGroups = false
      }
      outcomes[index] = outcome
    }
    return failure
  }

  /**
   * Sends what one call holds, except messages that already have an outcome. Returns the
   * code with which the call failed as a whole, or null.
   */
  async function sendBatch(
    messages: readonly OutgoingMessage[],
    outcomes: Outcomes
  ): Promise<string | null> {
    const withGroups = sendsGroups && messages.some(({ group }) => group !== undefined)
    try {
      await call(messages, outcomes, withGroups)
    } catch (error) {
      const { code } = asQueueError(error)
      if (!withGroups || !REFUSALS_OF_GROUPS.has(code)) return code
      for (const [index, outcome] of outcomes.entries())
        outcomes[index] = outcome ?? { code, retryable: false }
    }
    if (!withGroups || !outcomes.some(isRefusalOfGroup)) return null
    return withoutGroups(messages, outcomes)
  }

  async function sendLong(messages: readonly OutgoingMessage[]): Promise<readonly SendOutcome[]> {
    const all: SendOutcome[] = []
    let failure: string | null = null
    for (let start = 0; start < messages.length; ) {
      const batch = messages.slice(start, endOfBatch(messages, start))
      const outcomes: Outcomes = batch.map(message => refusalOf(message))
      failure ??= await sendBatch(batch, outcomes)
      all.push(...decided(outcomes, failure))
      start += batch.length
    }
    return all
  }

  return {
    limits: SQS_SEND_LIMITS,
    takes: message => refusalOf(message) === null,

    async send(messages) {
      let bytes = 0
      const outcomes: Outcomes = messages.map(message => {
        const size = messageBytes(message)
        const refusal = refusalOf(message, size)
        if (refusal === null) bytes += size
        return refusal
      })
      if (messages.length > BATCH_ENTRIES || bytes > MAX_MESSAGE_BYTES) return sendLong(messages)
      return decided(outcomes, await sendBatch(messages, outcomes))
    },
    close: () => Promise.resolve()
  }
}

/** A message without an answer may be sent again. */
function decided(outcomes: Outcomes, failure: string | null): SendOutcome[] {
  return outcomes.map(
    outcome => outcome ?? { code: failure ?? 'MissingFromResponse', retryable: true }
  )
}

function isRefusalOfGroup(outcome: SendOutcome | null): boolean {
  return outcome !== null && 'code' in outcome && REFUSALS_OF_GROUPS.has(outcome.code)
}

function toEntry(
  { body, origin, group, delayS }: OutgoingMessage,
  index: number,
  withGroup: boolean
) {
  return {
    Id: String(index),
    MessageBody: body,
    ...(origin === undefined
      ? {}
      : { MessageAttributes: { [ORIGIN_ATTRIBUTE]: { DataType: 'String', StringValue: origin } } }),
    ...(group === undefined || !withGroup ? {} : { MessageGroupId: toGroupId(group) }),
    ...(delayS === undefined ? {} : { DelaySeconds: delayS })
  }
}
