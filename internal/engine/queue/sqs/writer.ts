/**
 * Sends messages to SQS.
 *
 * Errors  a message that can never be sent is refused alone, without a call: SQS would
 *         refuse the whole batch that holds it. An entry that the answer does not name
 *         counts as failed and retryable. A server that refuses groups on its queues is
 *         found out by the same entries going through without: from then on they are left
 *         away, and `onGroupsRefused` is called, once.
 * Source  Amazon SQS API reference: SendMessageBatch; fair queues take MessageGroupId on
 *         a standard queue.
 */
import { SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import { type Clock, systemClock } from '../../lifecycle/clock.js'
import { type OutgoingMessage, QueueError, type QueueWriter, type SendOutcome } from '../queue.js'
import { entryCode, isRetryableEntry } from './aws-error.js'
import { CALL_DEADLINE_MS, type SqsSender, withDeadline } from './call.js'
import { toGroupId } from './group.js'
import { assertBatchEntries, refusalOf } from './limits.js'
import { ORIGIN_ATTRIBUTE } from './origin.js'

export interface SqsWriterOptions {
  /** Stays the caller's: `close` leaves it alone. */
  readonly sqs: SqsSender
  readonly queueUrl: string
  readonly clock?: Clock
  readonly onGroupsRefused?: () => void
}

/** With which servers that know no fair queues refuse the parameter. */
const REFUSALS_OF_GROUPS = new Set([
  'InvalidParameterValue',
  'InvalidParameterCombination',
  'InvalidParameter',
  'UnsupportedOperation'
])

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

  /** The same without groups, for what may have failed because of them. */
  async function withoutGroups(
    messages: readonly OutgoingMessage[],
    outcomes: Outcomes
  ): Promise<void> {
    const again = outcomes.map(outcome => (isRefusalOfGroup(outcome) ? null : outcome))
    await call(messages, again, false)
    for (const [index, outcome] of again.entries()) {
      if (outcome === null || !('id' in outcome) || outcomes[index] === outcome) continue
      if (sendsGroups) onGroupsRefused()
      sendsGroups = false
    }
    for (const [index, outcome] of again.entries()) outcomes[index] = outcome
  }

  return {
    async send(messages) {
      assertBatchEntries(messages)
      const outcomes: Outcomes = messages.map(refusalOf)
      const withGroups = sendsGroups && messages.some(({ group }) => group !== undefined)
      try {
        await call(messages, outcomes, withGroups)
      } catch (error) {
        const code = error instanceof QueueError ? error.code : ''
        if (!withGroups || !REFUSALS_OF_GROUPS.has(code)) throw error
        for (const [index, outcome] of outcomes.entries())
          outcomes[index] = outcome ?? { code, retryable: false }
      }
      if (withGroups && outcomes.some(isRefusalOfGroup)) await withoutGroups(messages, outcomes)
      return outcomes.map(
        (outcome): SendOutcome => outcome ?? { code: 'MissingFromResponse', retryable: true }
      )
    },
    close: () => Promise.resolve()
  }
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
