import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  createAdminBench,
  event,
  type Run,
  runAdmin,
  startAdmin
} from '../testing/admin-program.js'
import { sendBodies, temporaryDirectory } from '../testing/programs.js'

const bench = await createAdminBench(t)
const admin = (...args: string[]): Promise<Run> => runAdmin(bench.env, args)
const REDRIVE_LATE = ['rejections', 'redrive', '--client', 'late', '--json']

t.test('rejections are listed, shown and exported, as tables and as JSON', async t => {
  const hostile = event({ client_id: 'nobody', message: 'an escape: @[2J' }).replace('@', '\u009b')
  await sendBodies(bench.emulator, [
    'no event',
    event({ client_id: 'nobody', event_id: 'e-1' }),
    event({ message: 5 }),
    hostile
  ])
  await bench.untilDecided()

  const all = await admin('rejections', 'ls')
  t.equal(all.code, 0)
  t.match(
    all.results,
    /^received \(UTC\) +queue message +reason +client +event type +redriven +why\n/
  )
  t.equal(all.results.split('\n').length, 6)
  t.match(all.output, /4 of 4 shown: unknown-client 2, invalid-field 1, not-json 1/)
  const one = (
    await admin(
      'rejections',
      'ls',
      '--reason',
      'unknown-client',
      '--since',
      '1h',
      '--limit',
      '1',
      '--json'
    )
  ).json
  t.match(one, {
    total: 2,
    byReason: { 'unknown-client': 2 },
    rejections: { length: 1, 0: { clientId: 'nobody', redrivenAt: null } }
  })
  t.match(await admin('rejections', 'ls', '--client', 'client-3'), {
    code: 0,
    results: '',
    output: /No rejections/
  })

  const rows = await bench.sql('SELECT queue_message_id AS id, body FROM rejection')
  const id = String(rows.find(({ body }) => body === hostile)?.['id'])
  const shown = await admin('rejections', 'show', id)
  t.match(shown.results, /reason +unknown-client\n/)
  t.match(shown.results, /violations\n {2}\/client_id: /)
  t.match(shown.results, 'an escape: \\u009b[2J', 'a control character is shown, not executed')
  t.match((await admin('rejections', 'show', id, '--json')).json, {
    body: hostile,
    violations: [{ pointer: '/client_id' }]
  })
  t.match(await admin('rejections', 'show', 'nothing'), {
    code: 1,
    results: '',
    output: /No rejection has the queue message id nothing/
  })

  const file = join(temporaryDirectory(t), 'rejections.ndjson')
  t.match(await admin('rejections', 'export', '--out', file), {
    code: 0,
    results: '',
    output: /4 rejections written to/
  })
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  t.same(
    lines.map(line => (JSON.parse(line) as { body: string }).body).sort(),
    rows.map(({ body }) => body).sort()
  )
  t.match(await admin('rejections', 'export', '--out', file), {
    code: 1,
    output: /already exists/
  })
  t.equal(
    (await admin('rejections', 'export', '--limit', '2')).results.trimEnd().split('\n').length,
    2
  )
})

t.test(
  'redriven events of a once unknown client are stored once, under their first ids',
  async t => {
    const ids = await bench.refuseUnknown('late', 25)
    await sendBodies(bench.emulator, [event({ client_id: 'never' })])
    await bench.untilDecided()

    const dryRun = await admin('rejections', 'redrive', '--client', 'late', '--dry-run')
    t.match(dryRun, { code: 0, output: /25 would be sent, the newest 20 are shown/ })
    t.equal(
      await bench.count('rejection WHERE redriven_at IS NOT NULL'),
      0,
      'a dry run marks nothing'
    )
    t.equal(bench.depth(), 0, 'and sends nothing')

    await bench.sql(`INSERT INTO client VALUES ('late')`)
    t.match(await admin(...REDRIVE_LATE, '--limit', '5', '--rate', '1000/s'), {
      code: 0,
      json: { sent: 5, left: 20 }
    })
    t.match(await admin(...REDRIVE_LATE), { code: 0, json: { sent: 20, left: 0 } })
    await bench.untilDecided()
    t.same(await bench.messageIds(), ids)
    t.match(
      await admin(...REDRIVE_LATE),
      { code: 0, json: { sent: 0, left: 0 } },
      'a second run sends nothing'
    )
    t.match(await admin(...REDRIVE_LATE, '--again'), { code: 0, json: { sent: 25 } })
    await bench.untilDecided()
    t.same(await bench.messageIds(), ids, 'sent again, they are duplicates')
    t.equal(
      await bench.count('rejection WHERE redriven_at IS NULL'),
      1,
      'other rejections are left alone'
    )
    t.equal(await bench.count('rejection'), 26)
    t.match(await admin('rejections', 'redrive', 'nothing', '--json'), {
      code: 1,
      json: { sent: 0, missing: ['nothing'] }
    })
  }
)

t.test(
  'a body refused again is a new rejection with its origin, left alone by the same run',
  async t => {
    await bench.refuseUnknown('never', 12)
    t.match(await admin('rejections', 'redrive', '--all', '--json'), {
      code: 0,
      json: { sent: 12 }
    })
    await bench.untilDecided()
    t.equal(await bench.count('rejection'), 24)
    t.equal(
      await bench.count(
        'rejection AS copy JOIN rejection AS first ON first.queue_message_id = copy.origin_queue_message_id'
      ),
      12
    )
    t.match((await admin('rejections', 'ls', '--open', '--json')).json, {
      total: 12,
      rejections: { 0: { origin: String } }
    })
  }
)

t.test('two concurrent redrives send each rejection once', async t => {
  const ids = await bench.refuseUnknown('late', 120)
  await bench.sql(`INSERT INTO client VALUES ('late')`)
  const both = await Promise.all([admin(...REDRIVE_LATE), admin(...REDRIVE_LATE)])
  t.equal(
    both.reduce((sum, { json }) => sum + (json as { sent: number }).sent, 0),
    120
  )
  await bench.untilDecided()
  t.same(await bench.messageIds(), ids)
  t.equal(await bench.count('rejection'), 120)
})

t.test('Ctrl-C ends a redrive after the current batch and says so', async t => {
  await bench.refuseUnknown('late', 60)
  await bench.sql(`INSERT INTO client VALUES ('late')`)
  const slow = startAdmin(t, bench.env, [...REDRIVE_LATE, '--rate', '10/s'])
  await slow.program.until(
    'it has sent some',
    async () => (await bench.count('rejection WHERE redriven_at IS NOT NULL')) > 0
  )
  t.equal(await slow.program.end('SIGINT'), 1)
  const { sent, left, isInterrupted } = JSON.parse(slow.results()) as {
    sent: number
    left: number
    isInterrupted: boolean
  }
  t.ok(isInterrupted && sent > 0 && sent < 60)
  t.equal(await bench.count('rejection WHERE redriven_at IS NOT NULL'), sent)
  t.equal(sent + left, 60)
  await bench.untilDecided()
  t.equal(await bench.count('message'), sent)
})
