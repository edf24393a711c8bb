/**
 * One event's story, as far as the tables and the queues know it. An event stored on its
 * first receipt has a short story: nothing records when it was sent, nor its duplicates.
 *
 * Shapes  facts in, steps in the order of time and a conclusion out; no I/O.
 */
import type { EventRejectionHead, StoredEvent } from '../store/records.js'
import type { DeadLetter } from './dead-letter.js'

export interface Facts {
  readonly stored: readonly StoredEvent[]
  readonly rejections: readonly EventRejectionHead[]
  /** Null: not looked for. */
  readonly deadLetters: readonly DeadLetter[] | null
}

export interface StoryStep {
  readonly at: Date
  readonly what: 'sent' | 'refused' | 'redriven' | 'stored'
  readonly queueMessageId: string | null
  readonly text: string
}

/** `redriven`, `dead-lettered`: undecided, with a copy on its way or a dead letter. */
export type StoryOutcome = 'stored' | 'refused' | 'redriven' | 'dead-lettered' | 'unknown'

export interface Story {
  readonly steps: readonly StoryStep[]
  readonly outcome: StoryOutcome
  /** Rejections not redriven yet, without conflicts. */
  readonly open: readonly EventRejectionHead[]
  /** Other events that were sent under the same id. */
  readonly conflicts: readonly EventRejectionHead[]
}

export function createStory({ stored, rejections, deadLetters }: Facts): Story {
  const conflicts = rejections.filter(({ reason }) => reason === 'conflict')
  const open = rejections.filter(
    ({ reason, redrivenAt }) => reason !== 'conflict' && redrivenAt === null
  )
  return {
    steps: [...rejections.flatMap(stepsOf), ...stored.map(storing)].sort(
      (a, b) => a.at.getTime() - b.at.getTime()
    ),
    outcome: outcomeOf({ stored, rejections, deadLetters }, open),
    open,
    conflicts
  }
}

function outcomeOf(
  { stored, rejections, deadLetters }: Facts,
  open: readonly EventRejectionHead[]
): StoryOutcome {
  if (stored.length > 0) return 'stored'
  if (deadLetters !== null && deadLetters.length > 0) return 'dead-lettered'
  if (open.length > 0 || rejections.some(({ redrivenAt }) => redrivenAt === null)) return 'refused'
  return rejections.length > 0 ? 'redriven' : 'unknown'
}

function stepsOf({
  queueMessageId,
  origin,
  sentAt,
  receivedAt,
  redrivenAt,
  reason,
  violations,
  receiveCount
}: EventRejectionHead): StoryStep[] {
  const why = violations[0]?.message ?? ''
  const copy = origin === null ? '' : `, a copy of ${origin}`
  const steps: StoryStep[] = [
    {
      at: receivedAt,
      what: 'refused',
      queueMessageId,
      text: `${queueMessageId} at receive ${receiveCount}: ${reason}, ${why}`
    }
  ]
  if (sentAt !== null)
    steps.unshift({
      at: sentAt,
      what: 'sent',
      queueMessageId,
      text: `to the queue as ${queueMessageId}${copy}`
    })
  if (redrivenAt !== null)
    steps.push({
      at: redrivenAt,
      what: 'redriven',
      queueMessageId,
      text: `${queueMessageId} was sent to the queue again`
    })
  return steps
}

function storing({
  clientId,
  eventType,
  messageId,
  receivedAt,
  tx,
  payloadBytes
}: StoredEvent): StoryStep {
  return {
    at: receivedAt,
    what: 'stored',
    queueMessageId: null,
    text: `${eventType} of ${clientId} under ${messageId}, payload of ${payloadBytes} bytes, in transaction ${tx}`
  }
}
