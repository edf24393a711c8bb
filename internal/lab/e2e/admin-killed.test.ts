/** The admin program, killed with -9 in the middle of its work and run again. */
import t from 'tap'
import {
  createAdminBench,
  event,
  killAdminAt,
  LIMIT_MS,
  type Run,
  runAdmin
} from '../testing/admin-program.js'
import { until } from '../testing/until.js'

const bench = await createAdminBench(t)
const admin = (args: readonly string[]): Promise<Run> => runAdmin(bench.env, args)
const REDRIVE_LATE = ['rejections', 'redrive', '--client', 'late', '--json']

/** The server notices only a moment later that the program is gone. */
const untilUnlocked = (rows: number): Promise<void> =>
  until(
    'no row is locked',
    async () => (await bench.sql('SELECT FROM rejection FOR UPDATE SKIP LOCKED')).length === rows,
    LIMIT_MS
  )

const PLACES = [
  { why: 'before anything is sent', nth: 1, isHeard: false },
  { why: 'between sending and marking', nth: 2, isHeard: true },
  { why: 'after marking', nth: 3, isHeard: false }
]
for (const { why, nth, isHeard } of PLACES) {
  t.test(
    `a redrive of rejections, killed ${why} and run again, stores each event once`,
    async t => {
      const ids = await bench.refuseUnknown('late', 35)
      await bench.sql(`INSERT INTO client VALUES ('late')`)
      await killAdminAt(t, bench, { call: 'SendMessageBatch', nth, isHeard }, REDRIVE_LATE)
      const marked = (nth - 1) * 10
      t.equal(
        await bench.count('rejection WHERE redriven_at IS NOT NULL'),
        marked,
        'what was sent and confirmed is marked'
      )
      await untilUnlocked(35)
      t.match(await admin(REDRIVE_LATE), { code: 0, json: { sent: 35 - marked, left: 0 } })
      await bench.untilDecided()
      t.same(await bench.messageIds(), ids)
      t.equal(await bench.count('rejection'), 35, 'and nothing is refused again')
    }
  )
}

t.test('rows changed between two runs are taken as they are then', async t => {
  await bench.refuseUnknown('late', 25)
  await bench.sql(`INSERT INTO client VALUES ('late')`)
  await killAdminAt(t, bench, { call: 'SendMessageBatch', nth: 2, isHeard: false }, REDRIVE_LATE)
  await untilUnlocked(25)
  const chosen = `(SELECT queue_message_id FROM rejection WHERE redriven_at IS NULL AND client_name = 'late' LIMIT 1)`
  await bench.sql(`DELETE FROM rejection WHERE queue_message_id = ${chosen}`)
  await bench.sql(`UPDATE rejection SET redriven_at = now() WHERE queue_message_id = ${chosen}`)
  await bench.sql(`UPDATE rejection SET client_name = 'another' WHERE queue_message_id = ${chosen}`)
  t.match(await admin(REDRIVE_LATE), { code: 0, json: { sent: 12, left: 0 } })
  await bench.untilDecided()
  t.equal(await bench.count('message'), 22)
})

t.test(
  'a redrive of dead letters, killed before its delete and run again, stores once',
  async t => {
    const buried = await bench.bury(Array.from({ length: 25 }, (_, n) => event({ message: { n } })))
    const redrive = ['dead-letters', 'redrive', '--all', '--json']
    await killAdminAt(t, bench, { call: 'DeleteMessageBatch', nth: 2, isHeard: false }, redrive)
    await bench.untilDecided()
    t.equal(bench.depth('events-dead-letters'), 15, 'what was sent and not deleted is still there')
    // The killed program's messages become visible again by themselves.
    await until(
      'all are redriven',
      async () => (await admin(redrive)).code === 0 && bench.depth('events-dead-letters') === 0,
      LIMIT_MS
    )
    await bench.untilDecided()
    t.same(await bench.messageIds(), buried.sort())
    t.equal(await bench.count('rejection'), 0)
  }
)
