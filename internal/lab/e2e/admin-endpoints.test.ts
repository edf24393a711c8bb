/** Endpoints, from the command line to the table and to a recipient. */
import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import t, { type Test } from 'tap'
import { createAdminBench, type Run, runAdmin } from '../testing/admin-program.js'
import { startStubHttp } from '../testing/stub-http.js'

const bench = await createAdminBench(t)
const env = {
  ...bench.env,
  SENDER_SECRET_KEYS: `test:${randomBytes(32).toString('base64')}`,
  SENDER_ALLOW_HTTP: 'yes',
  SENDER_ALLOW_ADDRESSES: '127.0.0.0/8'
}
const admin = (...args: string[]): Promise<Run> => runAdmin(env, args)
const add = async (t: Test, ...args: string[]): Promise<{ id: number; secret: string }> => {
  const run = await admin('endpoints', 'add', ...args, '--json')
  t.equal(run.code, 0, run.output)
  return run.json as { id: number; secret: string }
}
const URL_HERE = 'https://hooks.example.com/events?key=1'

t.beforeEach(async () => {
  await bench.sql('TRUNCATE endpoint, endpoint_secret, delivery, delivery_attempt')
})

t.test(
  'an endpoint is added, listed and shown; its secret is shown once, and headers never',
  async t => {
    const added = await admin(
      'endpoints',
      'add',
      'client-1',
      URL_HERE,
      '--event-types',
      'user-app, monitor-app',
      '--header',
      'X-Key=planted value'
    )
    t.match(added, {
      code: 0,
      results:
        /^Endpoint \d+ of client-1 added: https:\/\/hooks.*\nsecret whsec_[A-Za-z0-9+/]{43}=\nThe secret is shown only this once/
    })
    t.notMatch(added.output, 'planted')
    const [, id = '', secret = ''] =
      /^Endpoint (\d+) .*\nsecret whsec_(\S+)/.exec(added.results) ?? []
    const shown = await admin('endpoints', 'show', id)
    t.match(shown, {
      code: 0,
      results:
        /client +client-1\n.*event types +user-app, monitor-app\nstate +enabled\n.*own headers +yes\n.*no attempts lately/s
    })
    const listed = await admin('endpoints', 'ls')
    t.match(listed, {
      code: 0,
      results: /^ *id +client +state +pending +dead .*\n.*client-1 +enabled +0 +0 +- +https:/,
      output: /1 endpoint\n/
    })
    const json = await admin('endpoints', 'show', id, '--json')
    for (const { output } of [shown, listed, json])
      for (const hidden of ['planted', secret]) t.notMatch(output, hidden)
    t.match(await admin('endpoints', 'ls', '--client', 'client-2'), {
      code: 0,
      results: '',
      output: /No endpoints/
    })
    t.match(
      (await admin('endpoints', 'ls', '--client', 'client-1', '--state', 'enabled', '--json')).json,
      {
        endpoints: [{ id: Number(id) }]
      }
    )
  }
)

t.test('all errors are named at once, without secrets, and nothing is added', async t => {
  const usage = await admin(
    ...[
      'endpoints',
      'add',
      'client-1',
      '--max-concurrency',
      '0',
      '--timeout-ms',
      '5',
      '--secret',
      'whsec_planted'
    ],
    ...[
      '--header',
      'host=planted',
      '--header',
      'x-key=planted\u0007',
      '--header',
      'nothing',
      '--event-types',
      'a,,b'
    ]
  )
  t.match(usage, { code: 2, results: '' })
  for (const want of [
    /URL is missing/,
    /--max-concurrency must be/,
    /--timeout-ms must be/,
    /--secret: a secret/,
    /host is set by the sender/,
    /value of x-key/,
    /NAME=VALUE/,
    /--event-types must be/
  ]) {
    t.match(usage.output, want)
  }
  t.notMatch(usage.output, 'planted')
  const rows: readonly (readonly [args: readonly string[], code: number, want: RegExp])[] = [
    [['add', 'client-11', URL_HERE], 1, /No client is called "client-11", did you mean client-1\?/],
    [
      ['add', 'client-1', URL_HERE, '--event-types', 'user-ap'],
      1,
      /No event type is called "user-ap", did you mean user-app\?/
    ],
    [
      ['add', 'client-1', 'https://10.1.2.3/x'],
      1,
      /The URL is refused: 10.1.2.3 is not a public address/
    ],
    [
      ['add', 'client-1', 'https://user:planted@example.com/x'],
      1,
      /The URL is refused: .*user or password/
    ],
    [
      ['add', 'client-1', URL_HERE, '--ordered', '--max-concurrency', '5'],
      2,
      /leave out --max-concurrency/
    ],
    [['show', '999999'], 1, /No endpoint has the id 999999/],
    [['enable', 'x'], 2, /ID must be a number/],
    [['disable'], 2, /ID is missing/],
    [['rotate-secret', '1', '--grace', '31d'], 2, /at most 30 days/],
    [['rotate-secret', '999999'], 1, /No endpoint has the id/],
    [['test', '999999'], 1, /No endpoint has the id/],
    [
      ['ls', '--state', 'disabled'],
      2,
      /"disabled" is not a state \(there are enabled, disabled-by-operator, disabled-by-failure\)/
    ]
  ]
  for (const [args, code, want] of rows) {
    const run = await admin('endpoints', ...args)
    t.match(run, { code, results: '', output: want }, args.join(' '))
    t.notMatch(run.output, 'planted')
  }
  t.equal(await bench.count('endpoint'), 0)
})

t.test('only commands that seal a secret need the sender’s settings', async t => {
  const { id } = await add(t, 'client-1', URL_HERE)
  const bare = (...args: string[]): Promise<Run> => runAdmin(bench.env, ['endpoints', ...args])
  for (const args of [
    ['add', 'client-1', URL_HERE],
    ['rotate-secret', String(id)],
    ['test', String(id)]
  ]) {
    t.match(
      await bare(...args),
      { code: 1, output: /SENDER_SECRET_KEYS is missing/ },
      args.join(' ')
    )
  }
  t.match(await bare('show', String(id)), { code: 0 })
  t.equal(await bench.count('endpoint_secret'), 1)
  const strict = await runAdmin({ ...env, SENDER_ALLOW_HTTP: 'no' }, [
    'endpoints',
    'add',
    'client-1',
    'http://example.com/x'
  ])
  t.match(strict, { code: 1, output: /the scheme is http: use https/ })
})

t.test(
  'a test event is signed with every valid secret, shows its answer, leaves no record',
  async t => {
    const recipient = await startStubHttp(t, (reply, _request, before) => {
      reply.statusCode = before === 0 ? 200 : 503
      reply.end(before === 0 ? 'thanks\u001b[2J' : 'busy')
    })
    const { id, secret } = await add(
      t,
      'client-1',
      `${recipient.origin}/hook`,
      '--header',
      'Authorization=Bearer abc'
    )
    const rotated = (await admin('endpoints', 'rotate-secret', String(id), '--json')).json as {
      secret: string
    }
    const taken = await admin('endpoints', 'test', String(id))
    t.match(taken, { code: 0, results: /^status 200 after \d+ ms: thanks\\u001b\[2J\n$/ })
    const [request] = recipient.requests
    t.equal(request?.headers.authorization, 'Bearer abc')
    t.match(JSON.parse(request?.body ?? ''), {
      type: 'endpoint-test',
      client: 'client-1',
      data: { test: true }
    })
    for (const key of [secret, rotated.secret]) {
      t.doesNotThrow(() =>
        new Webhook(key).verify(request!.body, request!.headers as Record<string, string>)
      )
    }
    await admin('endpoints', 'disable', String(id))
    t.match((await admin('endpoints', 'test', String(id), '--json')).json, {
      isTaken: false,
      status: 503,
      responseHead: 'busy'
    })
    t.match(await admin('endpoints', 'test', String(id)), { code: 1, results: /^status 503/ })
    const nobody = await add(t, 'client-1', 'http://127.0.0.1:1025/')
    t.match(await admin('endpoints', 'test', String(nobody.id)), {
      code: 1,
      results: /^no answer after \d+ ms: connect-refused \(ECONNREFUSED\)\n$/
    })
    const forbidden = await runAdmin({ ...env, SENDER_ALLOW_ADDRESSES: '10.0.0.0/8' }, [
      'endpoints',
      'test',
      String(id)
    ])
    t.match(forbidden, { code: 1, results: /refused-url/ }, 'under the sender’s rules')
    t.same([await bench.count('delivery'), await bench.count('delivery_attempt')], [0, 0])
  }
)

t.test('a replaced secret signs during its grace period; without one it ends at once', async t => {
  const { id } = await add(
    t,
    'client-1',
    URL_HERE,
    '--secret',
    `whsec_${randomBytes(24).toString('base64')}`
  )
  const rotated = await admin('endpoints', 'rotate-secret', String(id))
  t.match(rotated, {
    code: 0,
    results: /^Endpoint \d+ has a new secret\nsecret whsec_/,
    output: /An older secret signs until \d{4}-/
  })
  t.equal(
    await bench.count(
      `endpoint_secret WHERE expires_at BETWEEN now() + interval '23 hours' AND now() + interval '24 hours'`
    ),
    1
  )
  t.match(await admin('endpoints', 'rotate-secret', String(id), '--grace', '0s'), {
    code: 0,
    output: /2 older secrets ended now/
  })
  t.equal(await bench.count('endpoint_secret'), 1)
})

t.test('a new key re-encrypts everything, changes no secret, and the old key can go', async t => {
  const recipient = await startStubHttp(t, reply => reply.end())
  const { id, secret } = await add(
    t,
    'client-1',
    `${recipient.origin}/hook`,
    '--header',
    'x-key=planted value'
  )
  await admin('endpoints', 'rotate-secret', String(id))
  const newKey = `new:${randomBytes(32).toString('base64')}`
  const run = (keys: string, ...args: string[]): Promise<Run> =>
    runAdmin({ ...env, SENDER_SECRET_KEYS: keys }, ['endpoints', ...args])

  const withoutOld = await run(newKey, 'reseal')
  t.match(withoutOld, {
    code: 1,
    results: '0 values encrypted again with the key new, 3 left\n',
    output:
      /endpoint \d+ \(client client-1\) was sealed with the key test, which SENDER_SECRET_KEYS does not hold/
  })
  const both = `${newKey},${env.SENDER_SECRET_KEYS}`
  t.match(await run(both, 'reseal'), {
    code: 0,
    results: '3 values encrypted again with the key new, 0 left\n',
    output: /No other key of SENDER_SECRET_KEYS is needed any more/
  })
  t.match((await run(both, 'reseal', '--json')).json, {
    keyId: 'new',
    resealed: 0,
    left: 0,
    unopened: []
  })
  t.match(await run(newKey, 'test', String(id)), { code: 0 })
  const [request] = recipient.requests
  t.equal(request?.headers['x-key'], 'planted value')
  t.doesNotThrow(() =>
    new Webhook(secret).verify(request!.body, request!.headers as Record<string, string>)
  )
  t.match(await admin('endpoints', 'test', String(id)), {
    code: 1,
    output: /was sealed with the key new/
  })
})

t.test('a secret that the client already has is not printed again', async t => {
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const run = await admin('endpoints', 'add', 'client-1', URL_HERE, '--secret', secret)
  t.equal(run.code, 0)
  t.notMatch(run.output, secret.slice(6))
  t.match(
    (await admin('endpoints', 'add', 'client-1', URL_HERE, '--secret', secret, '--json')).json,
    { secret: null }
  )
})

t.test('disabling (with a reason) and enabling say what happens to the deliveries', async t => {
  const { id } = await add(t, 'client-1', URL_HERE)
  await bench.sql(
    `INSERT INTO delivery (endpoint_id, fk_client_name, message_id, next_attempt_at) SELECT $1, 'client-1', n::text, now() FROM generate_series(1, 3) n`,
    [id]
  )
  const disabled = await admin('endpoints', 'disable', String(id), '--reason', 'ticket 812')
  t.match(disabled, {
    code: 0,
    results: /^Endpoint \d+ disabled\n$/,
    output: /will give up its 3 pending deliveries/
  })
  t.match(await admin('endpoints', 'disable', String(id)), {
    code: 0,
    results: /was disabled already/
  })
  t.match(await admin('endpoints', 'show', String(id)), {
    results: /state +disabled-by-operator\ndisabled +.* UTC: ticket 812\n/
  })
  await bench.sql(
    `UPDATE delivery SET state = 'dead', dead_reason = 'endpoint-disabled', next_attempt_at = NULL, finished_at = now()`
  )
  const enabled = await admin('endpoints', 'enable', String(id))
  t.match(enabled, { code: 0, results: /^Endpoint \d+ enabled\n$/ })
  t.match(
    enabled.output,
    new RegExp(
      `deliveries redrive --endpoint ${id} --reason endpoint-disabled\n[^]*deliveries backfill --endpoint ${id} --since 20`
    )
  )
  t.match(await admin('endpoints', 'enable', String(id), '--json'), {
    code: 0,
    json: { id, isChanged: false }
  })
  await bench.sql(`UPDATE endpoint SET paused_until = now() + interval '1 hour'`)
  t.match(await admin('endpoints', 'enable', String(id)), {
    code: 0,
    results: /was enabled already; its pause is over\n$/
  })
  t.equal(await bench.count('endpoint WHERE paused_until IS NULL'), 1)
})
