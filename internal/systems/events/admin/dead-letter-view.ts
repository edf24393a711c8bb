/** Shows dead letters: in a table, alone, and as JSON. */

import { formatFields, formatTable, type TableColumn } from '../../../engine/cli/table.js'
import { formatCount, formatTime, printableLines } from '../../../engine/cli/terminal-text.js'
import type { DeadLetter } from './dead-letter.js'
import type { Scan } from './scan-queue.js'

const COLUMNS: readonly TableColumn[] = [
  { title: 'sent (UTC)' },
  { title: 'queue message' },
  { title: 'client', keeps: 8 },
  { title: 'event type', keeps: 8 },
  { title: 'event id', keeps: 8 },
  { title: 'receives', isRight: true },
  { title: 'bytes', isRight: true }
]

export function formatDeadLetters(
  deadLetters: readonly DeadLetter[],
  terminalWidth: number | null
): string {
  const rows = deadLetters.map(({ message, clientId, eventType, eventId }) => [
    formatTime(new Date(message.sentAtMs)),
    message.id,
    clientId ?? '-',
    eventType ?? '-',
    eventId ?? '-',
    formatCount(message.receiveCount),
    formatCount(message.bytes)
  ])
  return formatTable(COLUMNS, rows, terminalWidth)
}

export function formatDeadLetter({ message, clientId, eventType, eventId }: DeadLetter): string {
  const fields = formatFields([
    ['queue message', message.id],
    ...(message.origin === undefined ? [] : [['redriven from', message.origin] as const]),
    ['client', clientId ?? '-'],
    ['event type', eventType ?? '-'],
    ['event id', eventId ?? '-'],
    ['sent', `${formatTime(new Date(message.sentAtMs))} UTC`],
    ['receives', `${formatCount(message.receiveCount)}, with this look`]
  ])
  return `${fields}body, ${formatCount(message.bytes)} bytes:\n${printableLines(message.body)}\n`
}

export function deadLetterJson({ message, clientId, eventType, eventId }: DeadLetter): object {
  const { id: queueMessageId, origin = null, receiveCount, bytes: bodyBytes, sentAtMs } = message
  return {
    queueMessageId,
    origin,
    clientId,
    eventType,
    eventId,
    receiveCount,
    sentAt: new Date(sentAtMs),
    bodyBytes
  }
}

/** Says what a scan could not see; null if nothing. */
export function unseen({ hidden }: Scan): string | null {
  if (hidden === 0) return null
  const why = 'another command is looking at them, or a killed one was'
  const count = formatCount(hidden)
  return `${count} more were hidden when this began: ${why}. They come back by themselves.`
}
