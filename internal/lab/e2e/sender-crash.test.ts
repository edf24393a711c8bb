import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { parseKeyRing } from '../../systems/events/delivery/sealed.js'
import { LANES_SCHEMA } from '../../systems/events/delivery/store/endpoint-lanes.js'
import { createTestDatabase } from '../testing/database.js'
import { lookForLostLanes, silenceLanes } from '../testing/lost-lanes.js'
import { type Program, startEntry } from '../testing/programs.js'
import { type StubHttp, type StubRequest, startStubHttp } from '../testing/stub-http.js'
import { until } from '../testing/until.js'
import { createWholeSender } from '../testing/whole-sender.js'

const { connectionString } = await createTestDatabase(t)
const keyText = `test:${randomBytes(32).toString('base64')}`
const whole = await createWholeSender(t, { connectionString, keys: parseKeyRing(keyText) })
const { pool } = whole
const PROGRAM = fileURLToPath(
  new URL('../../../dist/internal/lab/testing/sender-program.js', import.meta.url)
)
const STRIKE_POINTS = [
  'after the fan-out',
  'after the claim',
  'before the record',
  'after the record',
  'before the release'
]
const EVENTS = Array.from({ length: 20 }, (_, n) => `e${n}`)

async function startSenderProgram(
  t: Test,
  strikeAt = 'nowhere',
  signal = 'SIGKILL'
): Promise<Program> {
  const program = startEntry(t, {
    name: 'sender of this test',
    entry: PROGRAM,
    env: {
      DB_CONNECTION: connectionString,
      SENDER_SECRET_KEYS: keyText,
      STRIKE_AT: strikeAt,
      STRIKE_WITH: signal
    }
  })
  await program.until('it sends', () => program.output.includes('sending'))
  return program
}

t.afterEach(() =>
  pool.query(
    `UPDATE endpoint SET state = 'disabled-by-operator', disabled_at = now() WHERE state = 'enabled'`
  )
)

interface Owed {
  readonly endpointId: number
  readonly recipient: StubHttp
}

async function owe(recipient: StubHttp): Promise<Owed> {
  const client = await whole.addClient()
  const { id } = await client.addEndpoint(recipient.origin)
  await client.store(...EVENTS)
  return { endpointId: id, recipient }
}

/**
 * A live sender takes over from the one that was struck; then compares what the recipient
 * and the tables have.
 */
async function takeOver(t: Test, { endpointId, recipient }: Owed): Promise<readonly StubRequest[]> {
  const sender = whole.start()
  t.teardown(() => sender.stop(5_000, () => undefined))
  await until('all are delivered', async () => {
    await silenceLanesOfTheDead(endpointId)
    const { rows } = await pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM delivery WHERE endpoint_id = $1 AND state = 'delivered'`,
      [endpointId]
    )
    return rows[0]?.n === EVENTS.length
  })
  const ids = new Map<string, Set<unknown>>()
  for (const { body, headers } of recipient.requests) {
    const { id } = JSON.parse(body) as { id: string }
    ids.set(id, (ids.get(id) ?? new Set()).add(headers['webhook-id']))
  }
  t.same([...ids.keys()].toSorted(), EVENTS.toSorted(), 'each event has arrived')
  t.ok(
    [...ids.values()].every(set => set.size === 1),
    'under one webhook-id each'
  )
  t.same(await inconsistent(endpointId), [], 'the recorded attempts match the deliveries')
  return recipient.requests
}

let isSilenced = false
async function silenceLanesOfTheDead(endpointId: number): Promise<void> {
  if (!isSilenced) {
    await silenceLanes(pool, LANES_SCHEMA, [String(endpointId)])
    isSilenced = true
  }
  await lookForLostLanes(pool, LANES_SCHEMA)
}
t.beforeEach(() => {
  isSilenced = false
})

/** Deliveries whose attempts are not numbered 1, 2, ... up to what the delivery says. */
async function inconsistent(endpointId: number): Promise<unknown[]> {
  const { rows } = await pool.query<Record<string, unknown>>(
    `SELECT d.message_id, d.attempts, a.numbers FROM delivery d
     LEFT JOIN LATERAL (SELECT array_agg(attempt ORDER BY attempt) AS numbers FROM delivery_attempt WHERE delivery_id = d.id) a ON true
     WHERE d.endpoint_id = $1 AND a.numbers IS DISTINCT FROM ARRAY(SELECT generate_series(1, d.attempts))`,
    [endpointId]
  )
  return rows
}

for (const point of STRIKE_POINTS) {
  t.test(`a sender killed ${point} loses nothing, and repeats keep their id`, async t => {
    const recipient = await startStubHttp(t, reply => reply.end())
    const program = await startSenderProgram(t, point)
    const owed = await owe(recipient)
    t.equal(await program.exited, 'SIGKILL', program.output)
    await takeOver(t, owed)
  })
}

t.test('a sender killed during attempts loses nothing and sends them again', async t => {
  let program: Program | null = null
  const recipient = await startStubHttp(t, reply => {
    if (program === null) reply.end()
    else program.child.kill('SIGKILL')
  })
  program = await startSenderProgram(t)
  const owed = await owe(recipient)
  t.equal(await program.exited, 'SIGKILL', program.output)
  const before = recipient.requests.length
  program = null
  const requests = await takeOver(t, owed)
  // Requests already sent may be read after the sender's end.
  t.ok(requests.length >= before + EVENTS.length, 'those that had left too')
})

t.test(
  'a sender frozen until its lanes are lost does no harm when it wakes, and goes on',
  async t => {
    const recipient = await startStubHttp(t, reply => reply.end())
    const program = await startSenderProgram(t, 'before the record', 'SIGSTOP')
    const owed = await owe(recipient)
    await program.until(
      'it has sent what it stands still with',
      () => recipient.requests.length > 0
    )
    await takeOver(t, owed)
    const rows = async () =>
      (
        await pool.query<Record<string, unknown>>(
          'SELECT id, state, attempts FROM delivery WHERE endpoint_id = $1 ORDER BY id',
          [owed.endpointId]
        )
      ).rows
    const before = await rows()
    program.child.kill('SIGCONT')
    const next = await whole.addClient()
    const endpoint = await next.addEndpoint(recipient.origin)
    await next.store('afterwards')
    await until('it works on', async () => {
      const { rows: done } = await pool.query(
        `SELECT FROM delivery WHERE endpoint_id = $1 AND state = 'delivered'`,
        [endpoint.id]
      )
      return done.length === 1
    })
    t.equal(await program.end(), 0, program.output)
    t.same(await rows(), before)
    t.same(await inconsistent(owed.endpointId), [])
  }
)
