/** How rejections look: in a table, alone, and as JSON. */

import { type Column, formatFields, formatTable } from '../../../engine/cli/table.js'
import {
  formatCount,
  formatTime,
  printable,
  printableLines
} from '../../../engine/cli/terminal-text.js'
import type { RejectionHead, RejectionRecord } from '../store/records.js'

const COLUMNS: readonly Column[] = [
  { title: 'received (UTC)' },
  { title: 'queue message' },
  { title: 'reason' },
  { title: 'client', keeps: 8 },
  { title: 'event type', keeps: 8 },
  { title: 'redriven' },
  { title: 'why', keeps: 24 }
]

export function formatRejections(
  rejections: readonly RejectionHead[],
  terminalWidth: number | null
): string {
  const rows = rejections.map(rejection => [
    formatTime(rejection.receivedAt),
    rejection.queueMessageId,
    rejection.reason,
    rejection.clientId ?? '-',
    rejection.eventType ?? '-',
    rejection.redrivenAt === null ? 'no' : 'yes',
    why(rejection)
  ])
  return formatTable(COLUMNS, rows, terminalWidth)
}

/** The first violation, and how many there are beside it. */
function why({ violations }: RejectionHead): string {
  const [first, ...others] = violations
  if (first === undefined) return ''
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  return `${first.pointer === '' ? '' : `${first.pointer}: `}${first.message}${more}`
}

export function formatRejection(rejection: RejectionRecord): string {
  const { queueMessageId, origin, violations, body } = rejection
  const fields: (readonly [string, string])[] = [
    ['queue message', queueMessageId],
    ...(origin === null ? [] : [['redriven from', origin] as const]),
    ['reason', rejection.reason],
    ['client', rejection.clientId ?? '-'],
    ['event type', rejection.eventType ?? '-'],
    ['message id', rejection.messageId ?? '-'],
    ['sent', rejection.sentAt === null ? '-' : `${formatTime(rejection.sentAt)} UTC`],
    [
      'received',
      `${formatTime(rejection.receivedAt)} UTC, receive count ${rejection.receiveCount}`
    ],
    ['redriven', rejection.redrivenAt === null ? 'no' : `${formatTime(rejection.redrivenAt)} UTC`]
  ]
  const what = violations.map(
    ({ pointer, message }) =>
      `  ${printable(pointer === '' ? 'the body' : pointer)}: ${printable(message)}\n`
  )
  const size = `body, ${formatCount(Buffer.byteLength(body))} bytes:\n`
  return `${formatFields(fields)}violations\n${what.join('')}${size}${printableLines(body)}\n`
}

/** Times as ISO 8601 in UTC. */
export function headJson(rejection: RejectionHead): object {
  const {
    queueMessageId,
    origin,
    clientId,
    eventType,
    messageId,
    reason,
    violations,
    receiveCount,
    bodyBytes
  } = rejection
  return {
    queueMessageId,
    origin,
    clientId,
    eventType,
    messageId,
    reason,
    violations,
    receiveCount,
    sentAt: rejection.sentAt,
    receivedAt: rejection.receivedAt,
    redrivenAt: rejection.redrivenAt,
    bodyBytes
  }
}

export function recordJson(rejection: RejectionRecord): object {
  return { ...headJson(rejection), body: rejection.body }
}
