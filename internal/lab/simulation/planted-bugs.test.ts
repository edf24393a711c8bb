/**
 * The simulation itself under test: bugs that are known from other systems must not get
 * past it.
 */
import t from 'tap'
import { PLANTED_BUGS, type PlantedBugName } from './planted-bugs.js'
import { startThread } from './thread.js'

const SEEDS = 1_000

const thread = startThread()
t.teardown(() => thread.end())

for (const bug of Object.keys(PLANTED_BUGS) as PlantedBugName[]) {
  t.test(`the simulation finds a planted bug: ${bug}`, async t => {
    const { failures, schedules } = await thread.run({
      task: { find: bug },
      fromSeed: 1,
      seeds: SEEDS
    })
    const [failure] = failures
    t.comment(
      `${bug}: found with seed ${failure?.seed ?? 'none'} of ${schedules}, by ${failure?.invariant ?? 'nothing'}`
    )
    t.ok(failure, `found within ${SEEDS} seeds`)
  })
}
