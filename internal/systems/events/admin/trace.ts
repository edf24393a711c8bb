/** `trace`: what became of one event. */

import { JSON_OPTION, readText } from '../../../engine/cli/options.js'
import { formatTable } from '../../../engine/cli/table.js'
import {
  formatCount,
  formatPlural,
  formatTime,
  printable
} from '../../../engine/cli/terminal-text.js'
import { firstId } from '../../../engine/message/message.js'
import { type QueueDepth, QueueError } from '../../../engine/queue/queue.js'
import type { EventRejectionHead, StoredEvent } from '../store/records.js'
import type { AdminCommand, AdminContext } from './context.js'
import { type DeadLetter, readDeadLetter } from './dead-letter.js'
import { deadLetterJson } from './dead-letter-view.js'
import { scanQueue } from './scan-queue.js'
import { createStory, type Story } from './story.js'
import { findDeliveries, formatSent, sentJson } from './trace-deliveries.js'

/** The event to look for, by its key or by a queue message. */
type Subject =
  | { readonly clientId: string; readonly messageId: string }
  | { readonly queueMessageId: string }

/** How much the queues hold; null where it is not known. */
interface Depths {
  readonly queue: QueueDepth
  readonly deadLetters: QueueDepth | null
}

export const traceCommand: AdminCommand = {
  name: 'trace',
  summary:
    'Shows what became of one event: when it was sent, refused and why, redriven, ' +
    'stored and by which transaction, delivered and to whom',
  operands: { text: 'CLIENT MESSAGE_ID', max: 2 },
  options: {
    'queue-message': {
      value: 'ID',
      text: 'look for a queue message instead of a client and a message id'
    },
    'dead-letters': {
      value: null,
      text: 'look in the dead-letter queue too, which raises the receive counts there'
    },
    ...JSON_OPTION
  },
  notes:
    "MESSAGE_ID is the producer's event_id; without one, the MessageId that the queue gave. For " +
    'an event stored on its first receipt, only the time of storing is known. Duplicates are ' +
    'counted by the processor (event_process_duplicate_total) and leave no row.',
  examples: [
    'trace client-1 order-4711',
    'trace --queue-message 0b6f2c1e-6f0e-4d3b-9f5c-2a9b6a0d7c11 --dead-letters'
  ],
  prepare: flags => {
    const queueMessageId = readText(flags, 'queue-message')
    const [clientId, messageId] = flags.operands
    if (queueMessageId !== null && clientId !== undefined)
      flags.problems.push('--queue-message and CLIENT MESSAGE_ID exclude each other')
    if (queueMessageId === null && messageId === undefined)
      flags.problems.push('CLIENT and MESSAGE_ID are missing, or --queue-message ID')
    const subject =
      queueMessageId === null
        ? { clientId: clientId ?? '', messageId: messageId ?? '' }
        : { queueMessageId }
    return async context => {
      const { stored, rejections } = await findRows(subject, context)
      const depths = await readDepths(context)
      const deadLetters = flags.isOn('dead-letters')
        ? await findDeadLetters(subject, rejections, context)
        : null
      const story = createStory({ stored, rejections, deadLetters })
      const sent = await findDeliveries(stored, context)
      const elsewhere =
        'messageId' in subject && story.outcome === 'unknown'
          ? await context.records.findStored(null, subject.messageId)
          : []
      if (flags.isOn('json'))
        await context.output.json({
          ...toJson(subject, story, depths, deadLetters, elsewhere),
          deliveries: sent.map(sentJson)
        })
      else {
        await tell(subject, story, depths, deadLetters, elsewhere, context)
        if (stored.length > 0) await context.output.write(formatSent(sent, context.output.columns))
      }
      return story.outcome === 'unknown' ? 1 : 0
    }
  }
}

interface Rows {
  readonly stored: readonly StoredEvent[]
  readonly rejections: readonly EventRejectionHead[]
}

async function findRows(subject: Subject, { records }: AdminContext): Promise<Rows> {
  if ('messageId' in subject) {
    const { clientId, messageId } = subject
    const [stored, rejections] = await Promise.all([
      records.findStored(clientId, messageId),
      records.findRejections(messageId, clientId)
    ])
    return { stored, rejections }
  }
  const { queueMessageId } = subject
  const own = await records.findRejections(queueMessageId, null)
  // A copy leads to the message that it is a copy of, and so to the other copies.
  const origin = own.find(rejection => rejection.queueMessageId === queueMessageId)?.origin ?? null
  const rejections = origin === null ? own : await records.findRejections(origin, null)
  const stored = new Map<string, StoredEvent>()
  const keep = (events: readonly StoredEvent[]): void => {
    for (const event of events) stored.set(JSON.stringify([event.clientId, event.messageId]), event)
  }
  keep(await records.findStored(null, origin ?? queueMessageId))
  for (const { clientId, messageId, reason } of rejections) {
    // Another event is stored under a conflict's key.
    if (clientId !== null && messageId !== null && reason !== 'conflict')
      keep(await records.findStored(clientId, messageId))
  }
  return { stored: [...stored.values()], rejections }
}

async function readDepths({ queues, output }: AdminContext): Promise<Depths | null> {
  try {
    const { queue, deadLetters } = await queues()
    return {
      queue: await queue.inspect.depth(),
      deadLetters: (await deadLetters?.inspect.depth()) ?? null
    }
  } catch (error) {
    if (!(error instanceof QueueError)) throw error
    output.remark(`The queue cannot be asked: ${error.message} (${error.code})`)
    return null
  }
}

async function findDeadLetters(
  subject: Subject,
  rejections: readonly EventRejectionHead[],
  { queues, clock, signal }: AdminContext
): Promise<readonly DeadLetter[]> {
  const queue = (await queues()).deadLetters
  if (queue === null) return []
  const ids = new Set(
    rejections.flatMap(({ queueMessageId, origin }) => [queueMessageId, origin ?? queueMessageId])
  )
  ids.add('queueMessageId' in subject ? subject.queueMessageId : subject.messageId)
  const isMeant = ({ message, clientId, eventId }: DeadLetter): boolean =>
    ids.has(message.id) ||
    ids.has(firstId(message)) ||
    ('messageId' in subject && clientId === subject.clientId && eventId === subject.messageId)
  const found: DeadLetter[] = []
  await scanQueue({
    queue,
    clock,
    signal,
    visit(messages) {
      found.push(...messages.map(readDeadLetter).filter(isMeant))
      return { gone: new Set(), isEnough: false }
    }
  })
  return found
}

function toJson(
  subject: Subject,
  { steps, outcome }: Story,
  depths: Depths | null,
  deadLetters: readonly DeadLetter[] | null,
  elsewhere: readonly StoredEvent[]
): object {
  return {
    ...subject,
    outcome,
    steps,
    deadLetters: deadLetters?.map(deadLetterJson) ?? null,
    queues: depths,
    storedForClients: elsewhere.map(({ clientId }) => clientId)
  }
}

async function tell(
  subject: Subject,
  story: Story,
  depths: Depths | null,
  deadLetters: readonly DeadLetter[] | null,
  elsewhere: readonly StoredEvent[],
  { output }: AdminContext
): Promise<void> {
  const { steps, outcome, open, conflicts } = story
  const name =
    'messageId' in subject
      ? `Event ${subject.messageId} of client ${subject.clientId}`
      : `Queue message ${subject.queueMessageId}`
  const lines = [printable(name), '']
  const rows = steps.map(({ at, what, text }) => [formatTime(at), what, text])
  if (rows.length > 0) {
    lines.push(formatTable([{ title: 'when (UTC)' }, { title: 'what' }, { title: '' }], rows, null))
  }
  for (const { message } of deadLetters ?? []) {
    const { id, receiveCount } = message
    lines.push(
      `In the dead-letter queue as ${id}, received ${receiveCount} times: dead-letters redrive ${id}`
    )
  }
  switch (outcome) {
    case 'stored':
      lines.push('It is stored, in one row of message.')
      break
    case 'refused':
      lines.push('It is refused, and stays refused until it is redriven.')
      break
    case 'redriven':
      lines.push(
        `Its copy is not decided yet: it is in the queue${holding(depths?.queue)} ` +
          `or the dead-letter queue${holding(depths?.deadLetters)}.`
      )
      break
    case 'dead-lettered':
      lines.push('It is not decided: it was received too often.')
      break
    case 'unknown':
      lines.push(...explainUnknown(subject, depths, deadLetters !== null, elsewhere))
  }
  if (outcome !== 'stored')
    for (const { queueMessageId } of open) lines.push(`  rejections redrive ${queueMessageId}`)
  if (conflicts.length > 0 && outcome === 'stored') {
    const were = conflicts.length === 1 ? 'event was' : 'events were'
    lines.push(
      `${formatCount(conflicts.length)} other ${were} sent under its id and refused as conflict.`
    )
  }
  await output.write(`${lines.join('\n')}\n`)
}

const holding = (depth: QueueDepth | null | undefined): string =>
  depth === null || depth === undefined
    ? ''
    : ` (about ${formatPlural(depth.visible + depth.inFlight + depth.delayed, 'message')})`

function explainUnknown(
  subject: Subject,
  depths: Depths | null,
  isDeadLetterSeen: boolean,
  elsewhere: readonly StoredEvent[]
): readonly string[] {
  const lines = [
    'It is in neither of the tables message and rejection. Possible reasons:',
    `  - it is still in the queue${holding(depths?.queue)}, which cannot be searched`
  ]
  if (!isDeadLetterSeen)
    lines.push(`  - it is a dead letter${holding(depths?.deadLetters)}: --dead-letters looks there`)
  if (elsewhere.length > 0) {
    const clients = elsewhere.map(({ clientId }) => printable(clientId)).join(', ')
    lines.push(`  - it belongs to another client: an event with this id is stored for ${clients}`)
  }
  lines.push(
    'messageId' in subject
      ? '  - it was sent without event_id: its id is the MessageId that the queue gave the producer'
      : '  - it was sent with an event_id and stored at once: trace CLIENT EVENT_ID finds it',
    "  - the queue never accepted it: the producer's own records, or the load generator's ledger, show that",
    '  - its row was deleted with other old rows'
  )
  return lines
}
