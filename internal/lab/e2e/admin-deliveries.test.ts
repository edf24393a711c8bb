/** The admin commands for deliveries, with a running sender. */
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import {
  createAdminBench,
  event,
  LIMIT_MS,
  type Run,
  runAdmin,
  startAdmin
} from '../testing/admin-program.js'
import { sendBodies, startProgram } from '../testing/programs.js'
import { startStubHttp } from '../testing/stub-http.js'
import { until } from '../testing/until.js'

const bench = await createAdminBench(t)
const env = {
  ...bench.env,
  SENDER_SECRET_KEYS: `test:${randomBytes(32).toString('base64')}`,
  SENDER_ALLOW_HTTP: 'yes',
  SENDER_ALLOW_ADDRESSES: '127.0.0.0/8',
  SENDER_METRICS_PORT: '0',
  SENDER_RETRY_SCHEDULE: '100ms,100ms'
}
const admin = (...args: string[]): Promise<Run> => runAdmin(env, args)
const json = async (t: Test, ...args: string[]): Promise<Record<string, unknown>> => {
  const run = await admin(...args, '--json')
  t.equal(run.code, 0, run.output)
  return run.json as Record<string, unknown>
}
const untilCount = (count: number, from: string): Promise<void> =>
  until(`${count} of ${from}`, async () => (await bench.count(from)) === count, LIMIT_MS)

/**
 * Waits until the sender has read all events: an endpoint added now gets none of them.
 */
const untilRead = (): Promise<void> =>
  untilCount(
    0,
    `sender_cursor c JOIN message m ON (m.tx, m.fk_client_name, m.message_id) > (c.tx, c.fk_client_name, c.message_id)`
  )

const sender = startProgram(t, 'sender', env)
await sender.until('it is ready', () => sender.output.includes('worker started'))

t.beforeEach(async () => {
  await bench.sql('TRUNCATE endpoint, endpoint_secret, delivery, delivery_attempt')
})

const send = async (...ids: readonly string[]): Promise<void> => {
  await sendBodies(
    bench.emulator,
    ids.map(id => event({ event_id: id }))
  )
  await bench.untilDecided()
}

t.test(
  'an undeliverable event ends dead, is listed, shown and traced; a redrive delivers it',
  async t => {
    let status = 500
    const recipient = await startStubHttp(t, reply => {
      reply.statusCode = status
      reply.end('not today')
    })
    const { id } = await json(
      t,
      'endpoints',
      'add',
      'client-1',
      recipient.origin,
      '--event-types',
      'user-app'
    )
    await send('e-1', 'e-2')
    await until(
      'both are dead',
      async () => {
        // Its circuit would pause it for longer each time.
        await bench.sql(
          'UPDATE endpoint SET failing_since = NULL, paused_until = NULL, circuit_opened = 0'
        )
        return (await bench.count(`delivery WHERE state = 'dead' AND attempts = 3`)) === 2
      },
      LIMIT_MS
    )

    t.match(await admin('deliveries', 'ls', '--state', 'dead'), {
      code: 0,
      results:
        /^ *id +made \(UTC\) +endpoint +client .*\n.*client-1 +user-app +e-[12] +dead +3 +schedule-ended 20/,
      output: /2 shown: pending 0, dead 2/
    })
    const { deliveries } = await json(
      t,
      'deliveries',
      'ls',
      '--endpoint',
      String(id),
      '--reason',
      'schedule-ended',
      '--since',
      '1h'
    )
    const [first] = deliveries as { id: string; webhookId: string; messageId: string }[]
    t.match(await admin('deliveries', 'show', first!.id), {
      code: 0,
      results:
        /webhook-id +msg_.*attempt +when \(UTC\) +outcome +ms +answer\n +1 +20.* 500 +[\d,]+ +not today\n +2 .*\n +3 /s
    })
    const traced = await admin('trace', 'client-1', 'e-1')
    t.match(traced, {
      code: 0,
      results:
        /It is stored, in one row of message\.\n\nDelivery \d+ to endpoint \d+ as msg_\S+: dead, schedule-ended 20.*\n.*\n +1 +20.* 500 /
    })
    t.ok(
      recipient.requests.some(({ headers }) => headers['webhook-id'] === first!.webhookId),
      'the recipient got the id that is shown'
    )
    t.match(await admin('endpoints', 'show', String(id)), {
      results: /dead +2\n.*last attempts\n.*outcome/s
    })

    t.match(await json(t, 'deliveries', 'redrive', '--endpoint', String(id), '--dry-run'), {
      isDryRun: true,
      toMove: 2,
      deliveries: { length: 2 }
    })
    t.equal(await bench.count(`delivery WHERE state = 'dead'`), 2, 'a dry run changes nothing')
    status = 200
    const redriven = await admin('deliveries', 'redrive', '--endpoint', String(id))
    t.match(redriven, { code: 0, results: '', output: /^2 due again, 0 left\n/m })
    await admin('endpoints', 'enable', String(id))
    await untilCount(2, `delivery WHERE state = 'delivered' AND attempts = 4`)
    t.match((await json(t, 'trace', 'client-1', 'e-1'))['deliveries'], [
      { state: 'delivered', everyAttempt: { length: 4, 3: { attempt: 4, status: 200 } } }
    ])
    t.match(
      await json(t, 'deliveries', 'redrive', '--all'),
      { moved: 0, left: 0 },
      'a second run finds nothing'
    )
  }
)

t.test('redrive and backfill deliver what a disabled endpoint missed, each event once', async t => {
  let isUp = false
  const recipient = await startStubHttp(t, reply => {
    reply.statusCode = isUp ? 200 : 503
    reply.setHeader('retry-after', isUp ? '0' : '3600')
    reply.end()
  })
  const { id } = await json(t, 'endpoints', 'add', 'client-1', recipient.origin)
  await send('before')
  await untilCount(1, 'delivery_attempt')
  await json(t, 'endpoints', 'disable', String(id))
  await untilCount(1, `delivery WHERE dead_reason = 'endpoint-disabled'`)
  await send('while-1', 'while-2', 'while-3')
  await untilRead()
  t.equal(await bench.count('delivery'), 1, 'no delivery is made while it is disabled')

  const args = ['--endpoint', String(id)]
  t.match(await admin('deliveries', 'redrive', ...args), {
    code: 0,
    output: /^0 due again.*\n1 more stay dead, because their endpoints are disabled/m
  })
  t.match(await admin('deliveries', 'backfill', ...args, '--since', '1h'), {
    code: 1,
    output: /is disabled: run endpoints enable/
  })
  isUp = true
  const enabled = await admin('endpoints', 'enable', String(id))
  const [, since = ''] = /--since (\S+)/.exec(enabled.output) ?? []
  t.match(await json(t, 'deliveries', 'redrive', ...args, '--reason', 'endpoint-disabled'), {
    moved: 1
  })
  t.match(await json(t, 'deliveries', 'backfill', ...args, '--since', since, '--dry-run'), {
    isDryRun: true,
    toMake: 3
  })
  t.match(await json(t, 'deliveries', 'backfill', ...args, '--since', since, '--limit', '2'), {
    made: 2
  })
  t.match(await admin('deliveries', 'backfill', ...args, '--since', since), {
    code: 0,
    output: /^1 made\n/m
  })
  await untilCount(4, `delivery WHERE state = 'delivered'`)
  const ids = recipient.requests
    .filter(({ socket }) => socket !== undefined)
    .map(({ body }) => (JSON.parse(body) as { id: string }).id)
  t.same(ids.toSorted(), ['before', 'before', 'while-1', 'while-2', 'while-3'])
  t.match(await json(t, 'deliveries', 'backfill', ...args, '--since', since), { made: 0 })
})

t.test('Ctrl-C ends a redrive or backfill after the current page and says so', async t => {
  await send(...Array.from({ length: 60 }, (_, n) => `e-${n}`))
  await untilRead()
  // The endpoint is paused: the sender attempts nothing before the pause is over.
  const endpoint = await json(t, 'endpoints', 'add', 'client-1', 'http://127.0.0.1:1025/')
  await bench.sql(`UPDATE endpoint SET paused_until = now() + interval '1 hour'`)
  const args = ['--endpoint', String(endpoint['id']), '--rate', '10/s', '--json']
  const rest = async (command: string, from: string, ...more: string[]): Promise<number> => {
    const slow = startAdmin(t, env, ['deliveries', command, ...args, ...more])
    await slow.program.until('it has begun', async () => (await bench.count(from)) > 0)
    t.equal(await slow.program.end('SIGINT'), 1)
    const result = JSON.parse(slow.results()) as {
      isInterrupted: boolean
      made?: number
      moved?: number
    }
    t.ok(result.isInterrupted)
    return result.made ?? result.moved ?? 0
  }
  const made = await rest('backfill', 'delivery', '--since', '1h')
  t.ok(made > 0 && made < 60)
  t.equal(await bench.count('delivery'), made)
  await json(t, 'deliveries', 'backfill', '--endpoint', String(endpoint['id']), '--since', '1h')
  t.equal(await bench.count('delivery'), 60)

  await bench.sql(
    `UPDATE delivery SET state = 'dead', dead_reason = 'schedule-ended', next_attempt_at = NULL, finished_at = now()`
  )
  const moved = await rest('redrive', `delivery WHERE state = 'pending'`)
  t.ok(moved > 0 && moved < 60)
  t.equal(await bench.count(`delivery WHERE state = 'pending'`), moved)
})

t.test('wrong arguments are named, and change nothing', async t => {
  const rows: readonly (readonly [args: readonly string[], code: number, want: RegExp])[] = [
    [['redrive'], 2, /say which deliveries to attempt again: ids, a filter \(--client, --endpoint/],
    [['redrive', '--all', '--endpoint', '1'], 2, /exclude each other/],
    [['redrive', '--reason', 'schedule-end'], 2, /is not a reason, did you mean schedule-ended\?/],
    [['redrive', 'x'], 2, /ID must be a number, not "x"/],
    [['redrive', '999999'], 1, /No delivery has the id 999999/],
    [['show', '999999'], 1, /No delivery has the id 999999/],
    [['ls', '--state', 'deed'], 2, /is not a state, did you mean dead\?/],
    [['backfill'], 2, /--endpoint ID is missing[^]*--since WHEN is missing/],
    [
      ['backfill', '--endpoint', '1', '--since', '1h', '--until', '2h'],
      2,
      /--until must be later than --since/
    ],
    [['backfill', '--endpoint', '999999', '--since', '1h'], 1, /No endpoint has the id 999999/],
    [['replay'], 2, /is not a command of deliveries/]
  ]
  for (const [args, code, want] of rows) {
    t.match(await admin('deliveries', ...args), { code, results: '', output: want }, args.join(' '))
  }
  const help = await admin('deliveries', '--help')
  t.match(help, { code: 0, results: /redrive \[ID \.\.\.\].*\n[^]*Examples/ })
  t.match(await admin('endpoints', 'add', '--help'), { code: 0, results: /--header NAME=VALUE/ })
})
