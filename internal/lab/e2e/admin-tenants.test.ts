/** From no client to events judged by the client's schema, with the built programs. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createAdminBench, event, type Run, runAdmin } from '../testing/admin-program.js'
import { sendBodies, temporaryDirectory } from '../testing/programs.js'
import { until } from '../testing/until.js'

const bench = await createAdminBench(t)
const admin = (...args: string[]): Promise<Run> => runAdmin(bench.env, args)

t.beforeEach(async () => {
  await bench.sql('TRUNCATE event_schema')
  await bench.sql(`DELETE FROM event_type WHERE name NOT LIKE '%-app' OR name = 'order-app'`)
})

const ORDER = { type: 'object', required: ['order'], properties: { order: { type: 'integer' } } }
const ORDER_OR_TEXT = {
  type: 'object',
  required: ['order'],
  properties: { order: { type: ['integer', 'string'] } }
}

function fileOf(t: Test, schema: unknown): string {
  const path = join(temporaryDirectory(t), 'schema.json')
  writeFileSync(path, typeof schema === 'string' ? schema : JSON.stringify(schema))
  return path
}

async function register(t: Test, schema: unknown, ...place: string[]): Promise<number> {
  const added = await admin(
    'schemas',
    'add',
    fileOf(t, schema),
    '--event-type',
    'order-app',
    ...place,
    '--json'
  )
  t.equal(added.code, 0, added.output)
  return (added.json as { schema: { id: number } }).schema.id
}

const order = (over: object): string => event({ event_type: 'order-app', ...over })
const decided = async (...bodies: string[]): Promise<void> => {
  await sendBodies(bench.emulator, bodies)
  await bench.untilDecided()
}

/**
 * Sends events that only this version refuses, until one is refused. From then on it
 * judges every event, because there is one worker.
 */
async function untilInForce(body: string, isInForce: () => Promise<boolean>): Promise<void> {
  await until(
    'the version is in force',
    async () => {
      await decided(body)
      return isInForce()
    },
    30_000
  )
}

t.test(
  'clients and event types are added, shown, disabled and enabled; typos get a hint',
  async t => {
    t.match(await admin('clients', 'add', 'client-x', 'client-x', '株式会社'), {
      code: 0,
      results: 'client-x added\n株式会社 added\n'
    })
    t.match(await admin('clients', 'add', 'client-x', '--json'), {
      code: 0,
      json: { clients: [{ name: 'client-x', outcome: 'exists' }] }
    })
    t.match(await admin('event-types', 'add', 'order-app'), {
      code: 0,
      results: 'order-app added\n'
    })
    await decided(order({ client_id: 'client-x', event_id: 'before' }))
    t.same(await bench.messageIds(), ['before'])

    t.match(await admin('clients', 'ls'), {
      code: 0,
      results:
        /^client +accepted +weight +quota +own schemas +readers\n.*client-x +yes +1 +none +0 +-\n/s
    })
    t.match(await admin('event-types', 'ls', '--json'), {
      code: 0,
      json: { eventTypes: [{ name: 'monitor-app' }, { name: 'order-app' }] }
    })
    for (const verb of ['show', 'disable', 'enable']) {
      t.match(await admin('clients', verb, 'clientx'), {
        code: 1,
        results: '',
        output: /No client is called "clientx", did you mean client-x\?/
      })
    }

    t.match(await admin('clients', 'disable', 'client-x'), {
      code: 0,
      results: 'client-x disabled\n'
    })
    t.match(await admin('clients', 'disable', 'client-x'), {
      code: 0,
      results: 'client-x was disabled already\n'
    })
    t.match(await admin('clients', 'add', 'client-x'), {
      code: 1,
      results: /is a disabled client: clients enable/
    })
    await decided(order({ client_id: 'client-x', event_id: 'while' }), order({ event_id: 'other' }))
    t.same(await bench.messageIds(), ['before', 'other'], 'others are not affected')
    t.match(await admin('clients', 'show', 'client-x'), {
      code: 0,
      results: /accepted +no, disabled .* UTC\n.*24 hours +unknown-client 1\n/s
    })
    t.match((await admin('rejections', 'ls', '--json')).json, {
      rejections: [{ violations: [{ keyword: 'enabled' }] }]
    })

    t.match(await admin('clients', 'enable', 'client-x', '--json'), {
      code: 0,
      json: { name: 'client-x', isChanged: true }
    })
    t.match(await admin('rejections', 'redrive', '--schema-fixed', '--reason', 'unknown-client'), {
      code: 0,
      output: /^1 sent to events/m
    })
    await bench.untilDecided()
    t.same(await bench.messageIds(), ['before', 'other', 'while'])
    await admin('event-types', 'disable', 'order-app')
    await decided(order({ event_id: 'never' }))
    t.equal(await bench.count(`rejection WHERE reason = 'unknown-event-type'`), 1)
    await bench.sql('TRUNCATE message')
  }
)

t.test(
  'a client’s weight and quota are set, shown and removed; excess events are refused',
  async t => {
    await admin('clients', 'add', 'client-q')
    t.match(
      await admin(
        'clients',
        'set',
        'client-q',
        '--max-events-per-s',
        '2.5',
        '--over-quota',
        'reject'
      ),
      {
        code: 0,
        results: 'client-q: weight 1, quota 2.5 events/s, reject\n'
      }
    )
    t.match(
      await admin(
        'clients',
        'set',
        'client-q',
        '--weight',
        '7',
        '--max-bytes-per-s',
        '1000000',
        '--json'
      ),
      {
        code: 0,
        json: {
          name: 'client-q',
          limits: { weight: 7, maxEventsPerS: 2.5, maxBytesPerS: 1_000_000, overQuota: 'reject' }
        }
      }
    )
    t.match(await admin('clients', 'show', 'client-q'), {
      code: 0,
      results: /weight +7\nquota +2\.5 events\/s, 1,000,000 bytes\/s, reject\n/
    })
    t.match((await admin('clients', 'ls', '--json')).json, {
      clients: [{ name: 'client-1', limits: { weight: 1, maxEventsPerS: null } }]
    })
    await untilInForce(
      event({ client_id: 'client-q' }),
      async () => (await bench.count(`rejection WHERE reason = 'over-quota'`)) > 0
    )
    t.match(
      await admin(
        'clients',
        'set',
        'client-q',
        '--max-events-per-s',
        'none',
        '--max-bytes-per-s',
        'none'
      ),
      {
        code: 0,
        results: 'client-q: weight 7, quota none\n'
      }
    )
    t.match(await admin('clients', 'set', 'clientq', '--weight', '2'), {
      code: 1,
      results: '',
      output: /did you mean client-q\?/
    })
    t.match(await admin('clients', 'set', 'client-q'), {
      code: 2,
      output: /nothing is set: give --weight, --max-events-per-s/
    })
    t.match(
      await admin(
        'clients',
        'set',
        '--weight',
        '0',
        '--max-bytes-per-s',
        '0',
        '--over-quota',
        'refuse'
      ),
      {
        code: 2,
        output:
          /NAME is missing.*--weight must be.*1 to 100.*--max-bytes-per-s must be.*--over-quota must be delay or reject, not "refuse"/s
      }
    )
    await bench.sql('TRUNCATE message, rejection')
  }
)

t.test('names that no event can have are refused together, before anything is added', async t => {
  const run = await admin('clients', 'add', 'good', '', 'a'.repeat(101), ' padded ')
  t.match(run, {
    code: 2,
    results: '',
    output: /NAME is empty.*more than 100 characters.*begins or ends with whitespace/s
  })
  t.equal(await bench.count(`client WHERE name = 'good'`), 0)
  t.match(
    await admin('clients', 'add', '😀'.repeat(100)),
    { code: 0 },
    'a hundred characters, whatever their bytes'
  )
  t.match(await admin('client', 'ls'), { code: 2, output: /did you mean clients\?/ })
})

t.test(
  'a schema is registered, tested, activated and corrected; then its refusals redriven',
  async t => {
    await admin('event-types', 'add', 'order-app')
    await decided(
      ...[1, 2, 'three', 4].map((value, n) =>
        order({ event_id: `o-${n}`, message: { order: value } })
      )
    )
    await decided(event({ event_id: 'other', message: { order: 'of another type' } }))

    const file = fileOf(t, ORDER)
    const stored = await admin(
      'schemas',
      'test',
      file,
      '--event-type',
      'order-app',
      '--against',
      'stored',
      '--since',
      '1h'
    )
    t.match(stored, {
      code: 1,
      results: /o-2 +\/message\/order/,
      output: /1 of 4 stored events would be refused/
    })
    t.equal(await bench.count('event_schema'), 0, 'a test changes nothing')

    const strict = await register(t, ORDER)
    t.match(await admin('schemas', 'add', file, '--event-type', 'order-app'), {
      code: 0,
      results: /The same schema already exists/
    })
    t.match(await admin('schemas', 'activate', String(strict)), {
      code: 0,
      results: /version 1 for order-app of every client .* is active\n/
    })
    await untilInForce(
      order({ message: { order: 'no number' } }),
      async () => (await bench.count('rejection')) > 0
    )
    await bench.sql('TRUNCATE rejection')
    await decided(
      order({ event_id: 'a', message: { order: 'text' } }),
      order({ event_id: 'b', message: { order: null } })
    )
    t.equal(await bench.count(`rejection WHERE reason = 'schema-violation'`), 2)

    const loose = await register(t, ORDER_OR_TEXT)
    const rejected = ['schemas', 'test', '--id', String(loose), '--against', 'rejected', '--json']
    t.match((await admin(...rejected)).json, {
      events: 2,
      accepted: 1,
      refused: 1,
      changes: 1,
      examples: [{ id: 'a' }]
    })
    t.match(await admin('schemas', 'test', '--id', String(loose), '--against', 'stored'), {
      code: 0,
      output: /^0 of [0-9]+ stored events would be refused/m
    })

    const redrive = ['rejections', 'redrive', '--schema-fixed', '--json']
    t.match(
      (await admin(...redrive)).json,
      { sent: 0, heldBack: 2, left: 2 },
      'in shadow it changes nothing'
    )
    t.match(await admin('schemas', 'activate', String(loose)), {
      code: 0,
      results: /is active, version 1 is retired\n/
    })
    await untilInForce(
      order({ event_id: 'probe', message: { order: 'text' } }),
      async () => (await bench.count(`message WHERE message_id = 'probe'`)) > 0
    )
    await bench.sql(`DELETE FROM rejection WHERE message_id = 'probe'`)
    t.match((await admin(...redrive, '--dry-run')).json, { toSend: 1, heldBack: 1 })
    t.equal(await bench.count('rejection WHERE redriven_at IS NOT NULL'), 0)
    const done = await admin('rejections', 'redrive', '--schema-fixed')
    t.match(done, {
      code: 0,
      output:
        /^1 sent to events and marked as redriven, 1 left\n1 would be refused again, and stay:\n +1 schema-violation: \/message\/order/m
    })
    await bench.untilDecided()
    t.equal(await bench.count(`message WHERE message_id = 'a'`), 1)
    t.equal(await bench.count('rejection'), 2, 'bodies that would fail again were not sent')
    t.match((await admin(...redrive)).json, { sent: 0, heldBack: 1 })

    t.match(await admin('schemas', 'ls'), { code: 0, results: /retired.*\n.*active/ })
    t.match((await admin('schemas', 'ls', '--state', 'active', '--json')).json, {
      schemas: [{ id: loose, version: 2 }]
    })
    t.match(await admin('schemas', 'show', String(loose)), {
      code: 0,
      results: /state +active\n.*"required": \[/s
    })
    t.match(await admin('schemas', 'activate', String(strict)), {
      code: 1,
      output: /is retired: only a version in shadow/
    })
    t.match(await admin('schemas', 'retire', String(loose)), {
      code: 0,
      results: /is retired\n/
    })
    t.match(await admin('schemas', 'retire', String(loose)), {
      code: 1,
      output: /is retired already/
    })
  }
)

t.test('a client’s own schema and the events of others do not affect each other', async t => {
  await admin('event-types', 'add', 'order-app')
  await decided(
    order({ event_id: 'one', message: 'text' }),
    order({ client_id: 'client-2', event_id: 'two', message: 'text' })
  )
  const own = await register(t, true, '--client', 'client-2')
  await admin('schemas', 'activate', String(own))
  const against = [
    'schemas',
    'test',
    fileOf(t, ORDER),
    '--event-type',
    'order-app',
    '--against',
    'stored',
    '--json'
  ]
  t.match((await admin(...against)).json, {
    events: 1,
    refused: 1,
    examples: [{ clientId: 'client-1' }]
  })
  t.match((await admin(...against, '--client', 'client-2')).json, {
    events: 1,
    refused: 1,
    examples: [{ clientId: 'client-2' }]
  })
})

t.test(
  'an invalid schema is refused with the pointer and the reason, and nothing changes',
  async t => {
    await admin('event-types', 'add', 'order-app')
    const wrong = fileOf(t, { type: 'object', properties: { order: { type: 'intger' } } })
    t.match(await admin('schemas', 'add', wrong, '--event-type', 'order-app'), {
      code: 1,
      results: '',
      output: /refused at \/properties\/order\/type: .*Nothing has changed/
    })
    const rows: readonly (readonly [args: readonly string[], code: number, want: RegExp])[] = [
      [['schemas', 'add', fileOf(t, 'no json'), '--event-type', 'order-app'], 1, /not JSON/],
      [
        ['schemas', 'add', fileOf(t, ORDER), '--event-type', 'oder-app'],
        1,
        /No event type is called "oder-app", did you mean order-app\?/
      ],
      [
        ['schemas', 'add', fileOf(t, ORDER), '--event-type', 'order-app', '--client', 'client-11'],
        1,
        /No client is called "client-11", did you mean/
      ],
      [
        ['schemas', 'add', '/nowhere/schema.json', '--event-type', 'order-app'],
        1,
        /cannot be read/
      ],
      [['schemas', 'add'], 2, /FILE is missing[^]*--event-type NAME is missing/],
      [['schemas', 'activate', '99999'], 1, /No schema has the id 99999/],
      [['schemas', 'retire', 'x'], 2, /ID must be a number/],
      [['schemas', 'ls', '--state', 'activ'], 2, /did you mean active\?/],
      [
        ['schemas', 'test', '--id', '1', '--event-type', 'a', '--against', 'all'],
        2,
        /--id already names the event type[^]*--against must be/
      ],
      [
        ['rejections', 'redrive', '--schema-fixed', '--reason', 'not-json'],
        2,
        /would be refused again/
      ]
    ]
    for (const [args, code, want] of rows)
      t.match(await admin(...args), { code, results: '', output: want }, args.join(' '))
    t.equal(await bench.count('event_schema'), 0)
  }
)

t.test('of two operators who activate at once one wins, and the other gets a message', async t => {
  await admin('event-types', 'add', 'order-app')
  const ids = [await register(t, ORDER), await register(t, ORDER_OR_TEXT)]
  // Both have read the state and wait for the same lock.
  const lock = await bench.lock('LOCK TABLE event_schema IN SHARE ROW EXCLUSIVE MODE')
  const runs = ids.map(id => admin('schemas', 'activate', String(id)))
  await until(
    'one waits to write and the other for its turn',
    async () => (await bench.count(`pg_stat_activity WHERE wait_event_type = 'Lock'`)) === 2,
    30_000
  )
  await lock.release()
  const ended = await Promise.all(runs)
  t.same(ended.map(({ code }) => code).sort(), [0, 1])
  const winner = ended.findIndex(({ code }) => code === 0)
  t.match(
    ended[1 - winner]?.output,
    new RegExp(
      `Somebody else was faster, and nothing was changed: .*\\(id ${ids[winner]}\\) is active now`
    )
  )
  t.same(await bench.sql(`SELECT id FROM event_schema WHERE state = 'active'`), [
    { id: ids[winner] }
  ])
  t.equal(await bench.count(`event_schema WHERE state = 'shadow'`), 1)
})
