import { join } from 'node:path'
import t from 'tap'
import { createTestDatabase } from '../testing/database.js'
import {
  serviceEnvironment,
  startProcessor,
  startProgram,
  temporaryDirectory
} from '../testing/programs.js'
import { startTestSqs } from '../testing/sqs.js'

const { connectionString, pool } = await createTestDatabase(t)

t.test(
  'verify finds every event of the ledger despite a killed worker, and names a lost row',
  async t => {
    const emulator = await startTestSqs(t)
    const env = { ...serviceEnvironment(connectionString, emulator), VISIBILITY_TIMEOUT_S: '2' }
    const ledger = join(temporaryDirectory(t), 'ledger.ndjson')
    const processor = await startProcessor(t, env)
    const load = [
      '--count',
      '2000',
      '--duplicates',
      '10',
      '--invalid',
      '5',
      '--ledger',
      ledger,
      '--seed',
      '7'
    ]
    const producers = startProgram(t, 'producers', env, load)
    await processor.program.until(
      'something is stored',
      async () => ((await processor.metrics()).get('stored_total') ?? 0) > 0
    )
    process.kill(processor.workerPids[0] ?? 0, 'SIGKILL')
    t.equal(await producers.exited, 0, producers.output)

    const verify = startProgram(t, 'verify', env, [
      '--ledger',
      ledger,
      '--wait',
      '30',
      '--json',
      '--metrics',
      `${processor.origin}/metrics`
    ])
    t.equal(await verify.exited, 0, verify.output)
    const report = JSON.parse(verify.output) as object
    t.match(report, { ok: true, lost: 0, total: { sent: 2_000, duplicateRows: 0 } })

    // A pending redelivery would store the row again.
    await processor.program.until('nothing is queued any more', () => {
      const { ready = [], inflight = [] } = emulator.server.inspectQueue('events')?.messages ?? {}
      return ready.length + inflight.length === 0
    })
    await pool.query('DELETE FROM message WHERE ctid = (SELECT min(ctid) FROM message)')
    const again = startProgram(t, 'verify', env, ['--ledger', ledger, '--json'])
    t.equal(await again.exited, 1)
    const broken = JSON.parse(again.output) as { ok: boolean; lost: number }
    t.notOk(broken.ok)
    t.ok(broken.lost >= 1)
    t.equal(await processor.program.end(), 0)
  }
)
