/**
 * What payload schemas cost: the same load for ours without schemas, with the active ones
 * of deployments/schemas, and with as many shadow versions as a place may have. They take
 * turns, so that a slow spell of the machine affects all of them.
 *
 * Errors  a run fails if its rows do not name the version that accepted them: it would
 *         have measured something else.
 */
import { readFileSync } from 'node:fs'
import { formatFigures } from '../../engine/cli/table.js'
import { ExpectedError } from '../../engine/lifecycle/service.js'
import { MAX_SHADOWS } from '../../systems/events/schemas/payload-schemas.js'
import type { SchemasArguments } from './arguments.js'
import { atLeast, type Goal } from './goals.js'
import type { Machine } from './machine.js'
import { BENCH_SCHEMA, jsonFileFor, say, writeJson } from './output.js'
import { goalLines, rate } from './report.js'
import { type Round, type Summary, summarize } from './results.js'
import type { Bench } from './run-scenario.js'
import { SCENARIOS } from './scenarios.js'
import type { BenchServices } from './services.js'
import { runAll } from './suite.js'

export const SCHEMAS_SITUATIONS = ['none', 'active', 'active and shadow'] as const
export type SchemasSituation = (typeof SCHEMAS_SITUATIONS)[number]

export interface SchemasResult {
  readonly situation: SchemasSituation
  readonly summary: Summary
}

const EVENT_TYPES = ['monitor-app', 'transaction-app', 'user-app'] as const
/**
 * Applied to the quick load: as many events as in a full run, with less time for latency.
 */
const SCALE = 2.5
const INSERT =
  'INSERT INTO event_schema (event_type, version, state, schema) VALUES ($1, $2, $3, $4)'
const COUNT_UNJUDGED = 'SELECT count(*)::int AS unjudged FROM message WHERE event_schema_id IS NULL'

export async function runSchemas(
  bench: Bench,
  { run }: SchemasArguments,
  machine: Machine,
  startedAt: Date
): Promise<void> {
  const scenarios = SCENARIOS.filter(({ name }) => name === 'ours')
  const options = {
    ...run,
    isQuick: true,
    scale: run.scale * SCALE,
    latencySeconds: 1,
    scenarios,
    rounds: 1
  }
  const rounds = new Map<SchemasSituation, Round[]>(
    SCHEMAS_SITUATIONS.map(situation => [situation, []])
  )
  let failures = 0
  for (let round = 1; round <= run.rounds; round++) {
    for (const situation of SCHEMAS_SITUATIONS) {
      if (isStopped(bench)) break
      say(`round ${round}, schemas: ${situation}`)
      await register(bench.services, situation)
      const outcome = await runAll({ ...bench, options })
      rounds.get(situation)?.push(...outcome.rounds.map(one => ({ ...one, round })))
      failures += outcome.failures.length
      if (outcome.failures.length === 0 && !isStopped(bench) && situation !== 'none')
        await assertJudged(bench.services)
    }
  }
  await bench.services.db.query('TRUNCATE event_schema')
  if (bench.signal.aborted) {
    say('Stopped: nothing was written.')
    return
  }
  const results = [...rounds].flatMap(([situation, own]) =>
    summarize(own, new Map()).map(summary => ({ situation, summary }))
  )
  const goals = schemasGoals(results)
  say(`\n${schemasTable(results)}\n\nGoals\n${goalLines(goals)}\n`)
  const { rounds: count, workers, pollers, scale } = run
  writeJson(jsonFileFor(run.jsonFile, startedAt), {
    schema: BENCH_SCHEMA,
    startedAt: startedAt.toISOString(),
    machine,
    options: { rounds: count, workers, pollers, scale },
    schemas: results,
    goals
  })
  if (failures > 0) throw new ExpectedError(`${failures} runs failed; see above.`)
}

function isStopped({ signal }: Bench): boolean {
  return signal.aborted
}

async function register({ db }: BenchServices, situation: SchemasSituation): Promise<void> {
  await db.query('TRUNCATE event_schema')
  if (situation === 'none') return
  for (const eventType of EVENT_TYPES) {
    const text = readFileSync(
      new URL(`../../../../deployments/schemas/${eventType}.json`, import.meta.url),
      'utf8'
    )
    await db.query(INSERT, [eventType, 1, 'active', text])
    if (situation === 'active') continue
    for (let version = 2; version <= 1 + MAX_SHADOWS; version++) {
      // Equal schemas would share one compiled check.
      const schema = { ...(JSON.parse(text) as object), $comment: `version ${version}` }
      await db.query(INSERT, [eventType, version, 'shadow', JSON.stringify(schema)])
    }
  }
}

async function assertJudged({ db }: BenchServices): Promise<void> {
  const { rows } = await db.query<{ unjudged: number }>(COUNT_UNJUDGED)
  if (rows[0]?.unjudged !== 0)
    throw new ExpectedError(
      `${rows[0]?.unjudged ?? 'all'} events were stored without being checked against their schema`
    )
}

export function schemasTable(results: readonly SchemasResult[]): string {
  const [none] = results
  const cpu = (summary: Summary | undefined): number | undefined =>
    summary?.cpuUsPerEvent?.subject.median
  return formatFigures([
    ['schemas', 'events/s', '% of none', 'CPU µs/event', 'more than none'],
    ...results.map(({ situation, summary }) => {
      const [own, without] = [cpu(summary), cpu(none?.summary)]
      return [
        situation,
        rate(summary.eventsPerSecond),
        percentOf(summary, none?.summary)?.toFixed(0) ?? 'n/a',
        own?.toFixed(1) ?? 'n/a',
        own === undefined || without === undefined ? 'n/a' : (own - without).toFixed(1)
      ]
    })
  ])
}

export function schemasGoals(results: readonly SchemasResult[]): readonly Goal[] {
  const of = (wanted: SchemasSituation): Summary | undefined =>
    results.find(({ situation }) => situation === wanted)?.summary
  return [
    atLeast('rate with active schemas / without', 90, '%', percentOf(of('active'), of('none')))
  ]
}

function percentOf(summary: Summary | undefined, none: Summary | undefined): number | undefined {
  return summary && none && (summary.eventsPerSecond.median / none.eventsPerSecond.median) * 100
}
