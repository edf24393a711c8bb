/** Shows rejections: in a table, alone, and as JSON. */
import { formatFields, formatTable, type TableColumn } from '../cli/table.js'
import { formatCount, formatTime, printable, printableLines } from '../cli/terminal-text.js'
import type { RejectionHead } from './records.js'

/** What a system shows of a body, in addition to what every rejection has. */
export interface BodyView<Head> {
  /** Between the reason and whether it was redriven. */
  readonly columns: readonly TableColumn[]
  readonly cells: (head: Head) => readonly string[]
  readonly fields: (head: Head) => readonly (readonly [name: string, value: string])[]
  readonly json: (head: Head) => object
}

const COLUMNS_BEFORE: readonly TableColumn[] = [
  { title: 'received (UTC)' },
  { title: 'queue message' },
  { title: 'reason' }
]
const COLUMNS_BEHIND: readonly TableColumn[] = [{ title: 'redriven' }, { title: 'why', keeps: 24 }]

export function formatRejections<Head extends RejectionHead>(
  rejections: readonly Head[],
  body: BodyView<Head>,
  terminalWidth: number | null
): string {
  const rows = rejections.map(rejection => [
    formatTime(rejection.receivedAt),
    rejection.queueMessageId,
    rejection.reason,
    ...body.cells(rejection),
    rejection.redrivenAt === null ? 'no' : 'yes',
    why(rejection)
  ])
  return formatTable([...COLUMNS_BEFORE, ...body.columns, ...COLUMNS_BEHIND], rows, terminalWidth)
}

/** The first violation, and how many more there are. */
function why({ violations }: RejectionHead): string {
  const [first, ...others] = violations
  if (first === undefined) return ''
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  return `${first.pointer === '' ? '' : `${first.pointer}: `}${first.message}${more}`
}

export function formatRejection<Head extends RejectionHead>(
  rejection: Head & { readonly body: string },
  view: BodyView<Head>
): string {
  const { queueMessageId, origin, violations, body } = rejection
  const received = `${formatTime(rejection.receivedAt)} UTC`
  const fields: (readonly [string, string])[] = [
    ['queue message', queueMessageId],
    ...(origin === null ? [] : [['redriven from', origin] as const]),
    ['reason', rejection.reason],
    ...view.fields(rejection),
    ['sent', rejection.sentAt === null ? '-' : `${formatTime(rejection.sentAt)} UTC`],
    ['received', `${received}, receive count ${rejection.receiveCount}`],
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
export function rejectionHeadJson<Head extends RejectionHead>(
  rejection: Head,
  body: BodyView<Head>
): object {
  const { queueMessageId, origin, reason, violations, receiveCount } = rejection
  return {
    queueMessageId,
    origin,
    ...body.json(rejection),
    reason,
    violations,
    receiveCount,
    sentAt: rejection.sentAt,
    receivedAt: rejection.receivedAt,
    redrivenAt: rejection.redrivenAt,
    bodyBytes: rejection.bodyBytes
  }
}

export function rejectionJson<Head extends RejectionHead>(
  rejection: Head & { readonly body: string },
  view: BodyView<Head>
): object {
  return { ...rejectionHeadJson(rejection, view), body: rejection.body }
}
