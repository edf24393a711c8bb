/** Shrinks a failing schedule: leaves out everything that the failure does not need. */
import type { Rejection } from '../../engine/message/message.js'
import type { Schedule } from './schedule.js'
import { simulate } from './simulation.js'
import type { SimulatedSystem } from './system.js'
import type { PlantedBug } from './worker.js'

/** The smallest schedule found that violates the same invariant. */
export async function shrink<Item, Refused extends Rejection>(
  system: SimulatedSystem<Item, Refused>,
  schedule: Schedule,
  bug: PlantedBug = {}
): Promise<Schedule> {
  const { violation } = await simulate(system, schedule, bug)
  if (violation === null) return schedule
  const failsToo = async (smaller: Schedule): Promise<boolean> =>
    (await simulate(system, smaller, bug)).violation?.invariant === violation.invariant

  let smallest = schedule
  for (let before: Schedule | null = null; before !== smallest; ) {
    before = smallest
    smallest = await leaveOut(smallest, 'faults', failsToo)
    smallest = await leaveOut(smallest, 'sent', failsToo)
  }
  return smallest
}

/** Tries leaving out smaller and smaller parts of a list, down to single entries. */
async function leaveOut(
  schedule: Schedule,
  list: 'faults' | 'sent',
  fails: (smaller: Schedule) => Promise<boolean>
): Promise<Schedule> {
  let smallest = schedule
  for (let size = schedule[list].length; size >= 1; size = size >> 1) {
    for (let at = 0; at < smallest[list].length; ) {
      const rest = [...smallest[list]]
      rest.splice(at, size)
      const smaller = { ...smallest, [list]: rest }
      if (await fails(smaller)) smallest = smaller
      else at += size
    }
  }
  return smallest
}
