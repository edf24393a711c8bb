/** Shows endpoints: in a table, alone, and as JSON. No secret reaches this file. */

import { formatFields, formatTable, type TableColumn } from '../../../engine/cli/table.js'
import { formatCount, formatTime } from '../../../engine/cli/terminal-text.js'
import type { AttemptRecord } from '../delivery/store/delivery-records.js'
import type { EndpointRecord } from '../delivery/store/endpoints.js'

const COLUMNS: readonly TableColumn[] = [
  { title: 'id', isRight: true },
  { title: 'client', keeps: 8 },
  { title: 'state' },
  { title: 'pending', isRight: true },
  { title: 'dead', isRight: true },
  { title: 'failing since (UTC)' },
  { title: 'URL', keeps: 24 },
  { title: 'event types', keeps: 8 }
]

export function formatEndpoints(
  endpoints: readonly EndpointRecord[],
  terminalWidth: number | null
): string {
  const rows = endpoints.map(endpoint => [
    String(endpoint.id),
    endpoint.client,
    stateOf(endpoint),
    formatCount(endpoint.pending),
    formatCount(endpoint.dead),
    formatTime(endpoint.failingSince) || '-',
    endpoint.url,
    typesOf(endpoint)
  ])
  return formatTable(COLUMNS, rows, terminalWidth)
}

export function formatEndpoint(
  endpoint: EndpointRecord,
  attempts: readonly AttemptRecord[],
  terminalWidth: number | null
): string {
  const {
    disabledAt,
    disabledReason,
    failingSince,
    pausedUntil,
    maxPerSecond,
    oldestPendingAt,
    secrets
  } = endpoint
  const oldest =
    oldestPendingAt === null ? '' : `, the oldest made ${formatTime(oldestPendingAt)} UTC`
  const fields: (readonly [string, string])[] = [
    ['endpoint', String(endpoint.id)],
    ['client', endpoint.client],
    ['URL', endpoint.url],
    ['event types', typesOf(endpoint)],
    ['state', endpoint.state],
    ...(disabledAt === null
      ? []
      : [
          [
            'disabled',
            `${formatTime(disabledAt)} UTC${disabledReason === null ? '' : `: ${disabledReason}`}`
          ] as const
        ]),
    ['failing since', failingSince === null ? '-' : `${formatTime(failingSince)} UTC`],
    ['paused until', pausedUntil === null ? '-' : `${formatTime(pausedUntil)} UTC`],
    ['pending', `${formatCount(endpoint.pending)}${oldest}`],
    ['dead', formatCount(endpoint.dead)],
    [
      'order',
      endpoint.isOrdered
        ? 'kept: one delivery at a time'
        : `not kept: up to ${endpoint.maxConcurrency} deliveries at a time`
    ],
    ['rate', maxPerSecond === null ? 'no limit' : `at most ${maxPerSecond} per second`],
    ['timeout', `${formatCount(endpoint.timeoutMs)} ms`],
    ['own headers', endpoint.hasHeaders ? 'yes' : 'no'],
    [
      'secrets',
      secrets.map(({ createdAt, expiresAt }) => secretOf(createdAt, expiresAt)).join('; ') || 'none'
    ],
    ['added', `${formatTime(endpoint.createdAt)} UTC`]
  ]
  const tried =
    attempts.length === 0
      ? 'no attempts lately\n'
      : `last attempts\n${formatLastAttempts(attempts, terminalWidth)}`
  return `${formatFields(fields)}${tried}`
}

const secretOf = (createdAt: Date, expiresAt: Date | null): string =>
  `of ${formatTime(createdAt)} UTC${expiresAt === null ? '' : `, ends ${formatTime(expiresAt)} UTC`}`

function stateOf({ state, pausedUntil }: EndpointRecord): string {
  return state === 'enabled' && pausedUntil !== null
    ? `paused until ${formatTime(pausedUntil)}`
    : state
}

const typesOf = ({ eventTypes }: EndpointRecord): string => eventTypes?.join(', ') ?? '(all)'

const ATTEMPT_COLUMNS: readonly TableColumn[] = [
  { title: 'when (UTC)' },
  { title: 'delivery', isRight: true },
  { title: 'attempt', isRight: true },
  { title: 'outcome' },
  { title: 'ms', isRight: true },
  { title: 'answer', keeps: 16 }
]

function formatLastAttempts(
  attempts: readonly AttemptRecord[],
  terminalWidth: number | null
): string {
  const rows = attempts.map(attempt => [
    formatTime(attempt.startedAt),
    attempt.deliveryId,
    String(attempt.attempt),
    outcomeOf(attempt),
    formatCount(attempt.durationMs),
    attempt.response ?? ''
  ])
  return formatTable(ATTEMPT_COLUMNS, rows, terminalWidth)
}

/** The status of an answer, or why there was none. */
export const outcomeOf = ({
  status,
  errorClass
}: Pick<AttemptRecord, 'status' | 'errorClass'>): string =>
  status === null ? (errorClass ?? '-') : String(status)
