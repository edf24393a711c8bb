/**
 * Runs ours with different numbers of workers under the same load: do workers that share
 * nothing help while queue and database have room?
 */

import { formatFigures } from '../../engine/cli/table.js'
import { ExpectedError } from '../../engine/lifecycle/service.js'
import type { ByWorkersArguments } from './arguments.js'
import type { Machine } from './machine.js'
import { BENCH_SCHEMA, jsonFileFor, say, writeJson } from './output.js'
import { rate, whole } from './report.js'
import { type Round, type Summary, summarize, totalUs } from './results.js'
import type { Bench } from './run-scenario.js'
import { SCENARIOS } from './scenarios.js'
import { runAll } from './suite.js'

export interface WorkersResult {
  readonly workers: number
  readonly summary: Summary
}

const UNKNOWN = 'n/a'

/** Interleaved like the scenarios of a run. */
export async function runByWorkers(
  bench: Bench,
  { counts, run }: ByWorkersArguments,
  machine: Machine,
  startedAt: Date
): Promise<void> {
  const scenarios = SCENARIOS.filter(({ name }) => name === 'ours')
  const rounds = new Map<number, Round[]>(counts.map(workers => [workers, []]))
  const failures: { workers: number; reason: string }[] = []
  for (let round = 1; round <= run.rounds; round++) {
    for (const workers of counts) {
      say(`${workers} worker${workers === 1 ? '' : 's'}`)
      const outcome = await runAll({ ...bench, options: { ...run, workers, scenarios, rounds: 1 } })
      rounds.get(workers)?.push(...outcome.rounds.map(one => ({ ...one, round })))
      failures.push(...outcome.failures.map(({ reason }) => ({ workers, reason })))
    }
  }
  if (bench.signal.aborted) {
    say('Stopped: nothing was written.')
    return
  }
  const results = [...rounds].flatMap(([workers, own]) =>
    summarize(own, new Map()).map(summary => ({ workers, summary }))
  )
  say('')
  say(workersTable(results))
  say('')
  writeJson(jsonFileFor(run.jsonFile, startedAt), {
    schema: BENCH_SCHEMA,
    startedAt: startedAt.toISOString(),
    machine,
    options: {
      isQuick: run.isQuick,
      rounds: run.rounds,
      counts,
      pollers: run.pollers,
      scale: run.scale
    },
    byWorkers: results,
    failures
  })
  if (failures.length > 0) throw new ExpectedError(`${failures.length} runs failed; see above.`)
}

export function workersTable(results: readonly WorkersResult[]): string {
  const head = [
    'workers',
    'events/s',
    '× first',
    'CPU µs/event',
    'PostgreSQL',
    'queue',
    'sum',
    'rows/commit',
    'p50 ms',
    'p99 ms',
    'RSS MiB'
  ]
  const first = results[0]?.summary.eventsPerSecond.median ?? Number.NaN
  return formatFigures([
    head,
    ...results.map(({ workers, summary }) => {
      const { eventsPerSecond, cpuUsPerEvent: cpu, meanRows, p50Ms, p99Ms, totalBytes } = summary
      const figure = (value: number | null | undefined, digits = 1): string =>
        value === undefined || value === null ? UNKNOWN : value.toFixed(digits)
      return [
        String(workers),
        rate(eventsPerSecond),
        (eventsPerSecond.median / first).toFixed(2),
        figure(cpu?.subject.median),
        figure(cpu?.postgres.median),
        figure(cpu?.queue.median),
        figure(totalUs(summary)),
        meanRows === null ? UNKNOWN : whole(meanRows.median),
        figure(p50Ms?.median),
        figure(p99Ms?.median),
        totalBytes === null ? UNKNOWN : (totalBytes.median / 1024 ** 2).toFixed(0)
      ]
    })
  ])
}
