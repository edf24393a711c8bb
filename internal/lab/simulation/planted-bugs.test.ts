/** Tests the simulation itself: it must find bugs that are known from other systems. */
import t, { type Test } from 'tap'
import type { SystemName } from './job.js'
import { PLANTED_BUGS, type PlantedBugName } from './planted-bugs.js'
import { startThread } from './thread.js'

const SEEDS = 1_000

const thread = startThread()
t.teardown(() => thread.end())

async function find(t: Test, system: SystemName, bug: PlantedBugName): Promise<void> {
  const { failures, schedules } = await thread.run({
    system,
    task: { find: bug },
    fromSeed: 1,
    seeds: SEEDS
  })
  const [failure] = failures
  t.comment(
    `${bug}: found with seed ${failure?.seed ?? 'none'} of ${schedules}, by ${failure?.invariant ?? 'nothing'}`
  )
  t.ok(failure, `found within ${SEEDS} seeds`)
}

for (const bug of Object.keys(PLANTED_BUGS) as PlantedBugName[]) {
  t.test(`the simulation finds a planted bug: ${bug}`, t => find(t, 'events', bug))
  // The tiny system has no quotas, so it sends no copies.
  if (!('writer' in PLANTED_BUGS[bug]))
    t.test(`the simulation finds it in the tiny system too: ${bug}`, t => find(t, 'tiny', bug))
}
