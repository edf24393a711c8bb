/** The sender's figures as tables, and its goals. */

import { formatFigures } from '../../engine/cli/table.js'
import { atLeast, atMost, type Goal } from './goals.js'
import type { Delays, Ingestion, SenderResults } from './sender.js'

const count = (value: number): string => Math.round(value).toLocaleString('en-US')
const one = (value: number | null): string => (value === null ? 'n/a' : value.toFixed(1))

export function senderTables({ throughput, isolation, backlog, ingestion }: SenderResults): string {
  const { cpuUs } = throughput
  return [
    formatFigures([
      ['deliveries', 'per second', 'sender µs', 'PostgreSQL µs', 'recipient µs'],
      [
        count(throughput.deliveries),
        count(throughput.perSecond),
        one(cpuUs?.sender ?? null),
        one(cpuUs?.postgres ?? null),
        one(cpuUs?.recipient ?? null)
      ]
    ]),
    formatFigures([
      ['stored → first attempt', 'deliveries', 'p50 ms', 'p99 ms'],
      ...isolation.map(({ situation, deliveries, p50Ms, p99Ms }) => [
        situation,
        count(deliveries),
        one(p50Ms),
        one(p99Ms)
      ])
    ]),
    formatFigures([
      ['backlog', 'fan-out per second', 'rows of pg-boss', 'their KiB'],
      [
        count(backlog.pending),
        count(backlog.fanOutPerSecond),
        count(backlog.jobRows),
        count(backlog.jobBytes / 1_024)
      ]
    ]),
    formatFigures([
      ['ingestion', 'events/s', 'processor µs', 'PostgreSQL µs'],
      ...ingestion.map(({ situation, eventsPerSecond, processorUs, postgresUs }) => [
        situation,
        count(eventsPerSecond),
        one(processorUs),
        one(postgresUs)
      ])
    ])
  ].join('\n\n')
}

export function senderGoals({
  throughput,
  isolation,
  backlog,
  ingestion
}: SenderResults): readonly Goal[] {
  const [aloneMs, disturbedMs] = [false, true].map(isDisturbed =>
    best(
      isolation.filter(
        ({ situation }) =>
          situation.startsWith('with') === isDisturbed && !situation.includes('backlog')
      ),
      ({ p99Ms }) => p99Ms
    )
  )
  const [off, on] = ['sender off', 'sender on'].map(name =>
    best(
      ingestion.filter(({ situation }) => situation === name),
      cost
    )
  )
  return [
    atLeast('deliveries', 2_000, '/s', throughput.perSecond),
    atMost(
      'p99 with a dead endpoint / alone',
      1.2,
      '×',
      aloneMs && disturbedMs && disturbedMs / aloneMs
    ),
    atMost('rows of pg-boss with that backlog', 1_000, '', backlog.jobRows),
    atMost('CPU of the processor per event, sender on / off', 1.05, '×', off && on && on / off)
  ]
}

const cost = ({ processorUs }: Ingestion): number => processorUs ?? 0

/** The lowest figure: other work on the machine only adds. */
function best<T extends Delays | Ingestion>(
  results: readonly T[],
  figure: (result: T) => number
): number | undefined {
  return results.length === 0 ? undefined : Math.min(...results.map(figure))
}
