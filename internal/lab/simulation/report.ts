/**
 * The report of a failed schedule: seed, broken invariant, smallest plan, end of the
 * trace, and how to repeat it.
 */
import type { Rejection } from '../../engine/message/message.js'
import type { Schedule } from './schedule.js'
import { shrink } from './shrink.js'
import { simulate } from './simulation.js'
import type { SimulatedSystem } from './system.js'
import type { PlantedBug } from './worker.js'

const TAIL = 40

export async function reportFailure<Item, Refused extends Rejection>(
  system: SimulatedSystem<Item, Refused>,
  schedule: Schedule,
  bug: PlantedBug = {}
): Promise<string> {
  const first = (await simulate(system, schedule, bug)).violation
  const smallest = await shrink(system, schedule, bug)
  const { violation, trace } = await simulate(system, smallest, bug)
  const { sent, faults, limits, ...rest } = smallest
  return [
    `seed ${schedule.seed}: ${first?.invariant ?? ''}: ${first?.what ?? ''}`,
    `repeat it alone: SIMULATION_SEED=${schedule.seed} npx tap internal/lab/simulation/simulation.test.ts`,
    `smallest schedule that fails like this (${faults.length} of ${schedule.faults.length} faults, ${sent.length} of ${schedule.sent.length} messages):`,
    ...Object.entries({ ...rest, ...limits }).map(
      ([name, value]) => `  ${name}: ${JSON.stringify(value)}`
    ),
    ...faults.map(fault => `  fault ${JSON.stringify(fault)}`),
    ...sent.map(
      ({ id, atMs, kind, body }) =>
        `  sent ${id} ${atMs === Infinity ? 'last' : `at ${atMs.toFixed(1)} ms`}, ${kind}: ${body}`
    ),
    `${violation?.invariant ?? ''}: ${violation?.what ?? ''}; the end of its trace:`,
    ...trace.tail(TAIL)
  ].join('\n')
}
