/**
 * Quotas in a real run: verify finds every event by the ledger, whether it was refused,
 * delayed or sent again.
 */
import { join } from 'node:path'
import t from 'tap'
import type { Report } from '../../systems/events/verify/report.js'
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
  'with quotas and a killed worker, verify finds each event during and after the run',
  async t => {
    await pool.query(
      `UPDATE client SET max_events_per_s = 50, over_quota = 'reject' WHERE name = 'client-1'`
    )
    await pool.query(
      `UPDATE client SET max_events_per_s = 100, over_quota = 'delay' WHERE name = 'client-2'`
    )
    const emulator = await startTestSqs(t)
    const env = {
      ...serviceEnvironment(connectionString, emulator),
      WORKERS: '2',
      VISIBILITY_TIMEOUT_S: '2',
      IN_FLIGHT_MAX_MESSAGES: '200'
    }
    const ledger = join(temporaryDirectory(t), 'ledger.ndjson')
    const processor = await startProcessor(t, env)
    const inForce = () =>
      processor.program.log.find(line => line['msg'] === 'weights and quotas in force')?.[
        'clients'
      ] === 2
    await processor.program.until('both quotas are in force', inForce)
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
    t.equal(await producers.exited, 0, producers.output)
    await processor.program.until(
      'some are sent again',
      async () => ((await processor.metrics()).get('sent_later_total') ?? 0) > 0
    )
    process.kill(processor.workerPids[0] ?? 0, 'SIGKILL')

    const examine = async (...args: readonly string[]): Promise<Report> => {
      const verify = startProgram(t, 'verify', env, ['--ledger', ledger, '--json', ...args])
      t.equal(await verify.exited, 0, verify.output)
      return JSON.parse(verify.output) as Report
    }
    const onItsWay = await examine()
    t.match(onItsWay, {
      ok: true,
      lost: 0,
      deadLettered: 0,
      total: { sent: 2_000, duplicateRows: 0 }
    })
    t.ok(
      onItsWay.stillQueued > 0 && (onItsWay.depths.delayed ?? 0) > 0,
      `${onItsWay.depths.delayed} are delayed`
    )
    const atTheEnd = await examine('--wait', '60', '--metrics', `${processor.origin}/metrics`)
    t.match(atTheEnd, {
      ok: true,
      lost: 0,
      deadLettered: 0,
      total: { sent: 2_000, unaccounted: 0, duplicateRows: 0 }
    })
    t.equal(
      atTheEnd.unlistedMessages + atTheEnd.unlistedRejections,
      0,
      'no copy counts as another event'
    )
    const overQuota = Object.fromEntries(
      atTheEnd.clients.map(({ clientId, rejectedByReason }) => [
        clientId,
        rejectedByReason['over-quota'] ?? 0
      ])
    )
    t.ok((overQuota['client-1'] ?? 0) > 0)
    t.match(overQuota, { 'client-2': 0, 'client-3': 0 })

    // Redrives the refused events after raising the client's quota.
    await pool.query(`UPDATE client SET max_events_per_s = NULL`)
    await processor.program.until('no quota is in force', () => {
      return (
        processor.program.log
          .filter(line => line['msg'] === 'weights and quotas in force')
          .at(-1)?.['clients'] === 0
      )
    })
    const redrive = startProgram(t, 'admin', env, [
      'rejections',
      'redrive',
      '--reason',
      'over-quota'
    ])
    t.equal(await redrive.exited, 0, redrive.output)
    const redriven = await examine('--wait', '60')
    t.match(redriven, { ok: true, lost: 0, total: { unaccounted: 0, duplicateRows: 0 } })
    t.equal(redriven.total.rejectedByReason['over-quota'], undefined, 'each is stored now')
    t.equal(await processor.program.end(), 0)
  }
)
