import t from 'tap'
import { createAdminBench, event, type Run, runAdmin } from '../testing/admin-program.js'
import { sendBodies } from '../testing/programs.js'

const bench = await createAdminBench(t)
const admin = (...args: string[]): Promise<Run> => runAdmin(bench.env, args)
const visible = (): number =>
  bench.emulator.server.inspectQueue('events-dead-letters')?.messages.ready.length ?? -1

t.test('dead letters are listed and shown, and visible again afterwards', async t => {
  const own = Array.from({ length: 13 }, (_, n) => event({ message: { n } }))
  const buried = await bench.bury([
    ...own,
    'no event',
    event({ client_id: 'client-2', event_id: 'e-2' })
  ])
  t.match(await admin('dead-letters', 'ls', '--json'), {
    code: 0,
    json: { seen: 15, expected: 15, deadLetters: { length: 15 } }
  })
  t.match(
    (await admin('dead-letters', 'ls', '--client', 'client-2')).results,
    /client-2 +user-app +e-2 +2 /,
    'each look counts'
  )
  t.match(await admin('dead-letters', 'show', buried[13] ?? ''), {
    code: 0,
    results: /body, 8 bytes:\nno event\n/
  })
  t.match(await admin('dead-letters', 'show', 'nothing'), {
    code: 1,
    output: /None of the 15 dead letters has the queue message id nothing/
  })
  t.equal(visible(), 15)
})

t.test('dead letters are redriven under their first ids and deleted once accepted', async t => {
  const buried = await bench.bury([
    ...Array.from({ length: 13 }, (_, n) => event({ message: { n } })),
    'no event',
    event({ client_id: 'client-2' })
  ])
  const redrive = ['dead-letters', 'redrive', '--client', 'client-1', '--json']
  t.match(await admin(...redrive, '--dry-run'), { code: 0, json: { matching: 13 } })
  t.equal(visible(), 15)
  t.match(await admin(...redrive, '--limit', '11'), { code: 0, json: { sent: 11 } })
  t.equal(visible(), 4)
  t.match(await admin(...redrive), { code: 0, json: { sent: 2, seen: 4 } })
  await bench.untilDecided()
  t.same(await bench.messageIds(), buried.slice(0, 13).sort())
  t.match(
    await admin('dead-letters', 'redrive', buried[0] ?? '', '--json'),
    { code: 1, json: { sent: 0, missing: 1 } },
    'one that is gone'
  )
  t.equal(visible(), 2)
})

t.test('a purge deletes the chosen dead letters and nothing else', async t => {
  await bench.bury(['no event', event({}), event({ client_id: 'client-2' })])
  t.match(await admin('dead-letters', 'purge', '--older-than', '1h', '--yes', '--json'), {
    code: 0,
    json: { deleted: 0, seen: 3 }
  })
  t.match(await admin('dead-letters', 'purge', '--client', 'client-2', '--yes', '--json'), {
    code: 0,
    json: { deleted: 1 }
  })
  t.match(await admin('dead-letters', 'purge', '--all', '--dry-run', '--json'), {
    code: 0,
    json: { matching: 2 }
  })
  t.equal(visible(), 2)
  t.match(await admin('dead-letters', 'purge', '--all', '--yes'), {
    code: 0,
    output: /2 deleted, of 2 looked at/
  })
  t.match(await admin('dead-letters', 'ls'), { code: 0, results: '', output: /No dead letters/ })
})

t.test('redriving marks an earlier rejection, and a stored event stays one row', async t => {
  const [rejected = '', stored = ''] = await bench.bury([event({ client_id: 'late' }), event({})])
  await bench.sql(`INSERT INTO client VALUES ('late')`)
  await bench.sql(
    `INSERT INTO rejection (queue_message_id, client_name, message_id, reason, violations, body, receive_count)
     VALUES ($1, 'late', $1, 'unknown-client', '[]', 'its body', 1)`,
    [rejected]
  )
  await bench.sql(
    `INSERT INTO message (fk_client_name, fk_event_type_name, message_id, message) VALUES ('client-1', 'user-app', $1, '"a text"')`,
    [stored]
  )
  t.match(await admin('dead-letters', 'redrive', '--all', '--json'), {
    code: 0,
    json: { sent: 2 }
  })
  await bench.untilDecided()
  t.same(await bench.messageIds(), [rejected, stored].sort())
  t.equal(await bench.count('rejection WHERE redriven_at IS NOT NULL'), 1)
})

t.test(
  'the trace of an event: refused, redriven, stored; and what an empty trace may mean',
  async t => {
    await bench.refuseUnknown('late', 2)
    const refused = await admin('trace', 'late', 'e-0')
    t.match(refused, {
      code: 0,
      results: /sent .*\n.*refused .*unknown-client.*\n\nIt is refused.*\n {2}rejections redrive /
    })
    await bench.sql(`INSERT INTO client VALUES ('late')`)
    t.equal((await admin('rejections', 'redrive', '--all')).code, 0)
    await bench.untilDecided()
    await sendBodies(bench.emulator, [
      event({ client_id: 'late', event_id: 'e-0', message: 'another' })
    ])
    await bench.untilDecided()

    const story = await admin('trace', 'late', 'e-0')
    t.equal(story.code, 0)
    t.match(
      story.results,
      /sent .*\n.*refused .*unknown-client.*\n.*redriven .*\n.*stored +user-app of late under e-0, payload of 7 bytes, in transaction \d+\n/
    )
    t.match(
      story.results,
      /It is stored, in one row of message\.\n1 other event was sent under its id/
    )
    const [first] = await bench.sql(
      `SELECT queue_message_id AS id FROM rejection WHERE message_id = 'e-0' AND reason = 'unknown-client'`
    )
    const { outcome, steps } = (
      await admin('trace', '--queue-message', String(first?.['id']), '--json')
    ).json as {
      outcome: string
      steps: { what: string }[]
    }
    t.equal(outcome, 'stored')
    t.same(
      steps.map(({ what }) => what),
      ['sent', 'refused', 'redriven', 'stored']
    )

    t.match(await admin('trace', 'client-1', 'e-0'), {
      code: 1,
      results: /an event with this id is stored for late/
    })
    const [dead = ''] = await bench.bury([event({ event_id: 'e-9' })])
    t.match(await admin('trace', 'client-1', 'e-9'), {
      code: 1,
      results: /it is a dead letter \(about 1 message\): --dead-letters looks/
    })
    const found = await admin('trace', 'client-1', 'e-9', '--dead-letters')
    t.match(found, {
      code: 0,
      results: new RegExp(`dead-letters redrive ${dead}\\n.*received too often`)
    })
  }
)
