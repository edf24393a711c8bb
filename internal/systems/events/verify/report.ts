/**
 * The report of a verification: the figures, the verdict, and the text for a terminal.
 *
 * Per client and in total, `sent` = stored + duplicates + rejected + unaccounted; faults
 * are counted separately. The queue does not say whose messages it still holds, so the
 * number of lost events is known only for the total.
 */
import { formatTable } from '../../../engine/cli/table.js'

/** The faults that make a report not ok, by the name of their figure. */
const FAULTS = {
  lost: 'accepted by the queue, but nowhere to be found',
  duplicateRows: 'more rows than the one that an event may have',
  altered: 'stored with another payload or event type than the one sent',
  both: 'stored and rejected',
  wrong: 'stored although invalid, rejected although valid, or stored under another id'
} as const

export interface Accounting {
  /** Accepted sends. */
  readonly sent: number
  /** Distinct idempotency keys among them. */
  readonly events: number
  readonly stored: number
  /** Sends beyond the first of an event. */
  readonly duplicates: number
  readonly rejected: number
  readonly rejectedByReason: Readonly<Record<string, number>>
  /** Sends without a row: still on their way, or lost. */
  readonly unaccounted: number
  readonly duplicateRows: number
  readonly altered: number
  readonly both: number
  readonly wrong: number
}

export interface ClientAccounting extends Accounting {
  readonly clientId: string
}

export interface FaultExample {
  readonly fault: string
  readonly clientId: string
  readonly queueMessageId: string
  readonly messageId: string
}

/**
 * How many messages the two queues hold. A message that moves between the two reads is
 * counted in both rather than in neither.
 */
export interface Depths {
  readonly queue: number
  /**
   * How many of them cannot be received yet, such as copies delayed by a client's quota;
   * absent: not read.
   */
  readonly delayed?: number
  readonly deadLetters: number
}

export interface Comparison {
  readonly metric: number
  readonly rows: number
  readonly isEqual: boolean
}

export interface Findings {
  readonly clients: readonly ClientAccounting[]
  readonly examples: readonly FaultExample[]
  readonly messageRows: number
  readonly rejectionRows: number
  /**
   * Rows that this ledger does not list: other producers' events, or sends that a crash
   * kept out of it.
   */
  readonly unlistedMessages: number
  readonly unlistedRejections: number
}

export interface Report extends Findings {
  readonly ok: boolean
  readonly total: Accounting
  readonly depths: Depths
  /** Unaccounted sends that queued messages, then dead letters, can account for. */
  readonly stillQueued: number
  readonly deadLettered: number
  readonly lost: number
  readonly tornLine: number | null
  readonly metrics: { readonly stored: Comparison; readonly rejected: Comparison } | null
}

/** Totals of `/metrics`. */
export interface MetricTotals {
  readonly stored: number
  readonly rejected: number
}

export function createReport(
  findings: Findings,
  depths: Depths,
  tornLine: number | null,
  metricTotals: MetricTotals | null
): Report {
  const total = addUp(findings.clients)
  const stillQueued = Math.min(total.unaccounted, depths.queue)
  const deadLettered = Math.min(total.unaccounted - stillQueued, depths.deadLetters)
  const lost = total.unaccounted - stillQueued - deadLettered
  const compare = (metric: number, rows: number): Comparison => ({
    metric,
    rows,
    isEqual: metric === rows
  })
  const metrics = metricTotals && {
    stored: compare(metricTotals.stored, findings.messageRows),
    rejected: compare(metricTotals.rejected, findings.rejectionRows)
  }
  const isCounted = metrics === null || (metrics.stored.isEqual && metrics.rejected.isEqual)
  const ok =
    lost + total.duplicateRows + total.altered + total.both + total.wrong === 0 && isCounted
  return { ok, total, depths, stillQueued, deadLettered, lost, tornLine, metrics, ...findings }
}

function addUp(accounts: readonly Accounting[]): Accounting {
  const sum = (pick: (account: Accounting) => number): number =>
    accounts.reduce((so, account) => so + pick(account), 0)
  const rejectedByReason: Record<string, number> = {}
  for (const account of accounts) {
    for (const [reason, sends] of Object.entries(account.rejectedByReason))
      rejectedByReason[reason] = (rejectedByReason[reason] ?? 0) + sends
  }
  return {
    sent: sum(account => account.sent),
    events: sum(account => account.events),
    stored: sum(account => account.stored),
    duplicates: sum(account => account.duplicates),
    rejected: sum(account => account.rejected),
    rejectedByReason,
    unaccounted: sum(account => account.unaccounted),
    duplicateRows: sum(account => account.duplicateRows),
    altered: sum(account => account.altered),
    both: sum(account => account.both),
    wrong: sum(account => account.wrong)
  }
}

const COLUMNS: readonly (readonly [string, (account: Accounting) => number])[] = [
  ['sent', account => account.sent],
  ['events', account => account.events],
  ['stored', account => account.stored],
  ['duplicates', account => account.duplicates],
  ['rejected', account => account.rejected],
  ['unaccounted', account => account.unaccounted],
  ['duplicate rows', account => account.duplicateRows],
  ['altered', account => account.altered],
  ['both', account => account.both],
  ['wrong', account => account.wrong]
]

/** The report as text, with a newline at its end. */
export function formatReport(report: Report): string {
  const { total, depths, metrics } = report
  const rows = [
    ...report.clients.map(client => [client.clientId, client] as const),
    ['total', total] as const
  ]
  const lines = [table(rows)]
  const reasons = Object.entries(total.rejectedByReason).map(
    ([reason, sends]) => `${reason} ${sends}`
  )
  if (reasons.length > 0) lines.push(`rejected: ${reasons.join(', ')}`)
  const delayed = depths.delayed ? ` (${depths.delayed} of them delayed)` : ''
  lines.push(
    `in the queue ${depths.queue}${delayed}, in the dead-letter queue ${depths.deadLetters}`
  )
  const parts = [
    `still queued ${report.stillQueued}`,
    `dead-lettered ${report.deadLettered}`,
    `lost ${report.lost}`
  ]
  lines.push(`unaccounted ${total.unaccounted} = ${parts.join(' + ')}`)
  if (report.unlistedMessages + report.unlistedRejections > 0) {
    lines.push(
      `not in this ledger: ${report.unlistedMessages} rows of message, ` +
        `${report.unlistedRejections} of rejection`
    )
  }
  if (report.tornLine !== null)
    lines.push(`line ${report.tornLine} of the ledger was torn by a crash and left out`)
  if (metrics !== null) {
    const side = (name: string, { metric, rows, isEqual }: Comparison): string =>
      `${name}: /metrics ${metric}, rows ${rows}, ${isEqual ? 'equal' : 'DIFFERENT'}`
    lines.push(side('stored', metrics.stored), side('rejected', metrics.rejected))
  }
  return [...lines, ...faultLines(report), ''].join('\n')
}

function table(rows: readonly (readonly [string, Accounting])[]): string {
  const columns = COLUMNS.map(([title]) => ({ title, isRight: true }))
  const cells = rows.map(([name, account]) => [
    name,
    ...COLUMNS.map(([, pick]) => String(pick(account)))
  ])
  return formatTable([{ title: 'client' }, ...columns], cells, null)
}

function faultLines(report: Report): string[] {
  const counts: Readonly<Record<keyof typeof FAULTS, number>> = {
    ...report.total,
    lost: report.lost
  }
  const lines: string[] = []
  for (const [fault, meaning] of Object.entries(FAULTS)) {
    const count = counts[fault as keyof typeof FAULTS]
    if (count === 0) continue
    lines.push(`FAULT ${fault} ${count}: ${meaning}`)
    const listed = fault === 'lost' ? 'unaccounted' : fault
    for (const example of report.examples.filter(example => example.fault === listed)) {
      lines.push(
        `  ${example.clientId}  message id ${example.messageId}  ` +
          `queue message ${example.queueMessageId}`
      )
    }
  }
  return [...lines, report.ok ? 'OK: lost 0, duplicate rows 0' : 'NOT OK']
}
