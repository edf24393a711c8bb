import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startProgram, temporaryDirectory } from '../testing/programs.js'
import { until } from '../testing/until.js'
import { parseChaosArguments } from './arguments.js'
import { FAULTS } from './faults.js'
import { createPlan } from './plan.js'
import type { ChaosResult } from './report.js'

const SEED = 'small-2208'
/** Three times a usual run. After that its output so far is more useful than waiting. */
const LIMIT_MS = 180_000
const STOP_MS = 20_000
const args = [
  '--seed',
  SEED,
  '--events',
  '3000',
  '--kills',
  '5',
  '--faults',
  '8',
  '--sender-faults',
  '8',
  '--workers',
  '2'
]

t.test(
  'a small chaos run loses nothing, stores nothing twice, deletes nothing too early',
  async t => {
    const { seed, ...options } = parseChaosArguments(args) as Extract<
      ReturnType<typeof parseChaosArguments>,
      { kind: 'run' }
    >
    const plan = createPlan({ ...options, seed: seed ?? '' })
    const faults = plan.steps.flatMap(({ fault, delivery }) =>
      [fault?.kind ?? [], delivery?.fault.kind ?? []].flat()
    )
    const sides = new Set(faults.map(kind => FAULTS[kind].side))
    t.same(
      [...sides].toSorted(),
      ['connection', 'database', 'process', 'queue', 'recipient', 'sender'],
      'this seed has faults of every kind of component'
    )
    t.ok(
      faults.includes('sender-workers-kill-at-post') && faults.includes('sender-primary-kill'),
      'and kills of the sender'
    )

    const directory = temporaryDirectory(t)
    const file = join(directory, 'chaos.json')
    const program = startProgram(t, 'chaos', { DATA_DIR: directory }, [...args, '--json', file])
    let hasEnded = false
    void program.exited.then(() => (hasEnded = true))
    const endsWithin = (ms: number): Promise<boolean> =>
      until('the run has ended', () => hasEnded, ms).then(
        () => true,
        () => false
      )
    const endsByItself = await endsWithin(LIMIT_MS)
    if (!endsByItself) program.child.kill('SIGTERM')
    if (!(await endsWithin(STOP_MS))) await program.end('SIGKILL')
    t.ok(endsByItself && existsSync(file), program.output)
    const result = JSON.parse(readFileSync(file, 'utf8')) as ChaosResult
    t.same(result.plan, plan, 'the run followed the seed’s plan')
    t.same(result.violations, [])
    t.match(result.report, {
      ok: true,
      lost: 0,
      depths: { queue: 0, deadLetters: 0 },
      total: { sent: 3_000, stored: 2_550, rejected: 150, duplicateRows: 0 }
    })
    t.match(result.report.metrics, { stored: { isEqual: true }, rejected: { isEqual: true } })
    t.same(result.kills, { worker: 3, primary: 2 })
    t.equal(
      Object.values(result.faults).reduce((sum, count) => sum + count, 0),
      16
    )
    t.ok(result.deletesChecked >= 3_000, `each delete was checked: ${result.deletesChecked}`)

    const { kills, report } = result.delivery
    t.ok(kills.worker >= 2 && kills.primary === 1, 'the sender was killed')
    t.ok(
      report.owed > 2_550,
      'every event goes to at least one endpoint, those of two clients to two'
    )
    t.equal(report.delivered, report.owed)
    t.ok(report.attempts >= report.owed)
    t.same(
      Object.entries(report.faults).filter(([, count]) => count > 0),
      []
    )
    t.match(program.output, new RegExp(`^Seed ${SEED}: `))
  }
)

t.test('wrong arguments give one message and exit code 1', async t => {
  const program = startProgram(t, 'chaos', { DATA_DIR: temporaryDirectory(t) }, ['--kills', 'many'])
  t.equal(await program.exited, 1)
  t.match(program.output, /--kills must be a whole number/)
  t.notMatch(program.output, /\n\s+at /)
})
