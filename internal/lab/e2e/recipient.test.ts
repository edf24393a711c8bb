/** The built recipient as a client's developer runs it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { newSecret, parseSecret } from '../../systems/events/delivery/secret.js'
import { createWebhookSigner } from '../../systems/events/delivery/signature.js'
import { type Program, startProgram, temporaryDirectory } from '../testing/programs.js'

const BODY =
  '{"type":"user-app","timestamp":"2026-01-01T00:00:00.000Z","id":"e-1","client":"client-1","data":{}}'

async function start(
  t: Test,
  args: readonly string[],
  env: Record<string, string> = {}
): Promise<{ program: Program; url: string }> {
  const program = startProgram(t, 'recipient', env, ['--port', '0', ...args])
  let url = ''
  await program.until('it listens', () => {
    url = /http:[/][/][\d.:]+/.exec(program.output)?.[0] ?? ''
    return url !== ''
  })
  return { program, url }
}

async function deliver(url: string, secret: string, id: string): Promise<number> {
  const parsed = parseSecret(secret)
  const timestampS = Math.floor(Date.now() / 1_000)
  const signature = createWebhookSigner(parsed.kind === 'key' ? [parsed.key] : []).sign(
    id,
    timestampS,
    BODY
  )
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': signature
  }
  const response = await fetch(`${url}/hooks`, { method: 'POST', headers, body: BODY })
  await response.text()
  return response.status
}

t.test('a line per delivery, a ledger of what was accepted, and a summary at the end', async t => {
  const secret = newSecret()
  const ledger = join(temporaryDirectory(t), 'ledger.ndjson')
  const { program, url } = await start(t, ['--secret', secret, '--ledger', ledger])
  t.equal(await deliver(url, secret, 'msg_1'), 200)
  t.equal(await deliver(url, secret, 'msg_1'), 200)
  t.equal(await deliver(url, newSecret(), 'msg_2'), 401)
  t.equal(await program.end('SIGINT'), 0)
  t.match(program.log, [
    { msg: 'listening', url, checking: true },
    {
      msg: 'delivery',
      webhookId: 'msg_1',
      eventType: 'user-app',
      clientId: 'client-1',
      path: '/hooks',
      valid: true,
      seen: 1,
      status: 200
    },
    { msg: 'delivery', webhookId: 'msg_1', seen: 2 },
    {
      msg: 'delivery',
      webhookId: 'msg_2',
      valid: false,
      why: 'No matching signature found',
      status: 401
    },
    { msg: 'summary', received: 3, accepted: 2, duplicates: 1, failed: 0, invalid: 1, different: 1 }
  ])
  const lines = readFileSync(ledger, 'utf8').trim().split('\n')
  t.match(
    lines.map(line => JSON.parse(line) as unknown),
    Array.from({ length: 2 }, () => ({
      webhookId: 'msg_1',
      path: '/hooks',
      eventId: 'e-1',
      clientId: 'client-1',
      valid: true
    }))
  )
  t.notOk(program.output.includes(secret))
})

t.test('readable lines of text, and none at all when quiet', async t => {
  const people = await start(t, [], { LOG_FORMAT: 'pretty' })
  await deliver(people.url, newSecret(), 'msg_1')
  t.equal(await people.program.end('SIGTERM'), 0)
  t.match(
    people.program.output,
    /^listening on http:[^\n]*, not checking signatures[^\n]*\n[\d:.]+ {2}200 {2}user-app {2}client-1 {2}msg_1 {2}\/hooks {2}not checked\n1 received \(1 different\): 1 accepted/
  )
  const quiet = await start(t, ['--quiet'])
  await deliver(quiet.url, newSecret(), 'msg_1')
  await quiet.program.end()
  t.same(
    quiet.program.log.map(line => line['msg']),
    ['listening', 'summary']
  )
})

t.test('wrong options, a wrong environment and help', async t => {
  const wrong = startProgram(t, 'recipient', {}, ['--prot', '1', '--secret', 'whsec_short'])
  t.equal(await wrong.exited, 1)
  t.match(
    wrong.output,
    /--prot is not an option of this program, did you mean --port\?[^]*--secret: a secret is whsec_ and base64/
  )
  const environment = startProgram(t, 'recipient', { LOG_FORMAT: 'xml' })
  t.equal(await environment.exited, 1)
  t.match(environment.output, /LOG_FORMAT must be one of auto, json, pretty/)
  const help = startProgram(t, 'recipient', {}, ['--help'])
  t.equal(await help.exited, 0)
  t.match(help.output, /--fail-rate P/)
})
