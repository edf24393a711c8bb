/**
 * Are accepted schemas as cheap as registration says? For each kind of cost, measures the
 * most expensive accepted schema with its worst payload.
 *
 * Each schema is compiled, and called for the first time, in a thread of its own: nothing
 * is warm, as after a change of schemas.
 *
 * Units   milliseconds of one check, the median of a few; JSON.parse is not included.
 */
import { Worker } from 'node:worker_threads'
import { formatFigures } from '../../engine/cli/table.js'
import { admitSchema } from '../../systems/events/schemas/admission.js'
import { BUDGET_STEPS, costOf } from '../../systems/events/schemas/schema-cost.js'
import type { SchemaObject } from '../../systems/events/schemas/schema-tree.js'
import { atMost, type Goal } from './goals.js'
import { COST_CASES, type CostCase } from './schema-cost-cases.js'
import { type Spread, spreadOf } from './statistics.js'

export interface CostResult {
  readonly name: string
  /** The largest that registration accepts; 0 if it accepts none. */
  readonly bound: number
  /** The cost that schema-cost.ts counts, in milliseconds. */
  readonly boundMs: number
  readonly payloadBytes: number
  readonly ms: Spread | null
}

/** The input of a thread, which answers with milliseconds. */
export interface CostTrial {
  readonly schema: string
  readonly payload: string
}

const TRIALS = 3
const STEPS_PER_MS = 1_000_000
const GOAL_MS = BUDGET_STEPS / STEPS_PER_MS

export async function measureCosts(
  say: (line: string) => void,
  signal: AbortSignal,
  cases = COST_CASES
): Promise<readonly CostResult[]> {
  const results: CostResult[] = []
  for (const one of cases) {
    if (signal.aborted) break
    const result = await measureCost(one)
    results.push(result)
    say(
      `  ${one.name.padEnd(50)} ${result.ms === null ? 'refused' : `${result.ms.median.toFixed(1)} ms`}`
    )
  }
  return results
}

async function measureCost(one: CostCase): Promise<CostResult> {
  const bound = dearestBound(one)
  if (bound === 0) return { name: one.name, bound, boundMs: 0, payloadBytes: 0, ms: null }
  const schema = JSON.stringify(one.schema(bound))
  const payload = one.payload(bound)
  const took: number[] = []
  for (let trial = 0; trial < TRIALS; trial++) took.push(await runTrial({ schema, payload }))
  const payloadBytes = Buffer.byteLength(payload)
  return {
    name: one.name,
    bound,
    boundMs: stepsOf(one, bound) / STEPS_PER_MS,
    payloadBytes,
    ms: spreadOf(took)
  }
}

/** The largest bound whose schema registration accepts. */
export function dearestBound(one: CostCase): number {
  let [taken, refused] = [0, one.largest + 1]
  while (refused - taken > 1) {
    const bound = Math.floor((taken + refused) / 2)
    if (stepsOf(one, bound) <= BUDGET_STEPS) taken = bound
    else refused = bound
  }
  return taken > 0 && admitSchema(JSON.stringify(one.schema(taken))).kind === 'admitted' ? taken : 0
}

function stepsOf(one: CostCase, bound: number): number {
  return costOf(one.schema(bound) as SchemaObject).steps
}

function runTrial(workerData: CostTrial): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./schema-cost-trial.js', import.meta.url), {
      workerData,
      execArgv: []
    })
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

export function costTable(results: readonly CostResult[]): string {
  const head = ['what', 'bound', 'payload bytes', 'counted ms', 'ms', '(most)']
  return formatFigures([
    head,
    ...results.map(({ name, bound, payloadBytes, boundMs, ms }) => [
      name,
      bound.toLocaleString('en-US'),
      payloadBytes.toLocaleString('en-US'),
      boundMs.toFixed(0),
      ms === null ? 'refused' : ms.median.toFixed(1),
      ms === null ? '' : ms.max.toFixed(1)
    ])
  ])
}

export function costGoals(results: readonly CostResult[]): readonly Goal[] {
  const all = results.flatMap(({ ms }) => (ms === null ? [] : [ms.median]))
  return [
    atMost(
      'most expensive payload of 1 MiB for an accepted schema',
      GOAL_MS,
      'ms',
      all.length === 0 ? null : Math.max(...all)
    )
  ]
}
